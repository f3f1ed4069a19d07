-- Events to publish; written with the fact they tell.
create table inventory_outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index inventory_outbox_due on inventory_outbox (id) where published_at is null;
create index inventory_outbox_done on inventory_outbox (published_at) where published_at is not null;

-- Events a consumer has handled; written with their effect.
create table inventory_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index inventory_inbox_age on inventory_inbox (handled_at);

-- Answers to requests that carried an Idempotency-Key.
create table inventory_idempotency (
    owner uuid not null,
    key text not null,
    fingerprint bytea not null,
    token uuid not null,
    status integer,
    location text,
    body text,
    created_at timestamptz not null default now(),
    primary key (owner, key)
);

create index inventory_idempotency_age on inventory_idempotency (created_at);
