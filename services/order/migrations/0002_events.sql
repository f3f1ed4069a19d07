-- Events to publish; written with the fact they tell.
create table outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index outbox_due on outbox (id) where published_at is null;
create index outbox_done on outbox (published_at) where published_at is not null;

-- Events a consumer has handled; written with their effect.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index inbox_age on inbox (handled_at);
