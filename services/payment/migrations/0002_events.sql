-- Events to publish; written with the fact they tell.
create table payment_outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index payment_outbox_due on payment_outbox (id) where published_at is null;
create index payment_outbox_done on payment_outbox (published_at) where published_at is not null;

-- Events a consumer has handled; written with their effect.
create table payment_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index payment_inbox_age on payment_inbox (handled_at);

-- Answers to requests that carried an Idempotency-Key.
create table payment_idempotency (
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

create index payment_idempotency_age on payment_idempotency (created_at);
