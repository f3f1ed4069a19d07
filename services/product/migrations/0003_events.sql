-- Events to publish; written with the change they tell.
create table product_outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index product_outbox_due on product_outbox (id) where published_at is null;
create index product_outbox_done on product_outbox (published_at) where published_at is not null;

-- Events a consumer has handled; written with their effect.
create table product_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index product_inbox_age on product_inbox (handled_at);

-- Answers kept for requests that come twice.
create table product_idempotency (
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

create index product_idempotency_age on product_idempotency (created_at);
