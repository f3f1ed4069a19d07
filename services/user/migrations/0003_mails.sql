-- Mails of this shard's customers: written with the note in the inbox, sent afterwards. One per fact, however often its
-- event comes. `kind` is the event's; `object_id` the order, or the customer of a welcome.
create table user_mails (
    object_id uuid not null,
    kind text not null,
    user_id uuid not null,
    recipient text not null,
    name text not null,
    -- What the words are made of, JSON.
    facts text not null,
    -- `unsent`: there was no mail server. `failed`: the server refuses it for good.
    state text not null check (state in ('waiting', 'sent', 'unsent', 'failed')),
    attempts integer not null default 0,
    -- Not before; while it is being sent, the end of the sender's lease.
    due_at timestamptz not null default now(),
    -- Who is sending it.
    claim uuid,
    -- Why it was not sent the last time.
    detail text,
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    primary key (object_id, kind)
);

create index user_mails_due on user_mails (due_at) where state = 'waiting';
create index user_mails_of_user on user_mails (user_id);
create index user_mails_age on user_mails (settled_at) where settled_at is not null;

create index users_left on users (deleted_at) where deleted_at is not null;
