-- Customers of this shard.
create table users (
    id uuid primary key,
    email text not null,
    name text not null,
    -- Argon2id in PHC format.
    password_hash text not null,
    synthetic boolean not null default false,
    created_at timestamptz not null default now()
);

-- The directory: which customer an e-mail address belongs to. A row lies in the shard of the address, not of the
-- customer, so that an address is unique over all shards. It is written first; without its customer it is a
-- registration that was cut short, and the next attempt finishes it.
create table user_emails (
    email text primary key,
    user_id uuid not null,
    created_at timestamptz not null default now()
);
