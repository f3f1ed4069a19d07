-- As a service's own, plus something a handler changes.
create table test_outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index test_outbox_due on test_outbox (id) where published_at is null;

create table test_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create table effects (event_id uuid not null);
