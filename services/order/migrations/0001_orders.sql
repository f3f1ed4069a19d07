-- Orders of this shard's customers.
create table orders (
    id uuid primary key,
    user_id uuid not null,
    status text not null default 'placed' check (status in ('placed', 'accepted')),
    total_cents bigint not null check (total_cents >= 0),
    currency text not null,
    synthetic boolean not null default false,
    created_at timestamptz not null default now(),
    accepted_at timestamptz
);

create index orders_of_user on orders (user_id, id desc);
create index orders_synthetic on orders (created_at) where synthetic;

create table order_lines (
    order_id uuid not null references orders on delete cascade,
    position integer not null,
    product_id uuid not null,
    quantity integer not null check (quantity > 0),
    -- Of one piece, when it was ordered.
    price_cents bigint not null check (price_cents >= 0),
    primary key (order_id, position)
);

-- Answers to requests that carried an Idempotency-Key.
create table idempotency (
    user_id uuid not null,
    key text not null,
    request_hash bytea not null,
    answer text not null,
    created_at timestamptz not null default now(),
    primary key (user_id, key)
);

create index idempotency_age on idempotency (created_at);
