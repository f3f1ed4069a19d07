-- Roles, sessions, addresses. Only adds: programs of the version before go on working beside it (they write customers
-- without a role and know no sessions).
alter table users add column role text not null default 'customer';
-- Set once: the row stays so that orders keep their customer, what named a person is gone.
alter table users add column deleted_at timestamptz;

-- A log-in and all refresh tokens that follow from it. Of the tokens only hashes are kept: one part of a token is the
-- same for the whole session and proves that it was given out here, the other changes with every refresh.
create table user_sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    family_hash bytea not null,
    current_hash bytea not null,
    user_agent text,
    synthetic boolean not null default false,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create index user_sessions_of_user on user_sessions (user_id, id);
create index user_sessions_expiry on user_sessions (expires_at);

create table user_addresses (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    recipient text not null,
    line1 text not null,
    line2 text,
    city text not null,
    region text,
    postal_code text not null,
    country text not null,
    created_at timestamptz not null default now()
);

create index user_addresses_of_user on user_addresses (user_id, id);

-- E-mail addresses of deleted accounts whose row in the directory, in another shard, is still to be removed.
create table user_removed_emails (
    email text primary key,
    user_id uuid not null,
    created_at timestamptz not null default now()
);

-- Answers kept for requests that come twice.
create table user_idempotency (
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

create index user_idempotency_age on user_idempotency (created_at);

-- Events to publish; written with the fact they tell.
create table user_outbox (
    id uuid primary key,
    kind text not null,
    payload text not null,
    created_at timestamptz not null default now(),
    retry_at timestamptz not null default now(),
    attempts integer not null default 0,
    published_at timestamptz
);

create index user_outbox_due on user_outbox (id) where published_at is null;
create index user_outbox_done on user_outbox (published_at) where published_at is not null;

-- Events a consumer has handled; written with their effect.
create table user_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index user_inbox_age on user_inbox (handled_at);
