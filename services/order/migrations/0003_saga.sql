-- Expand. Pods of the version before still run while this does, so whatever they write and read stays as it is:
-- `accepted` remains a status (read as `confirmed`), the table `idempotency` remains theirs. A later version contracts:
-- it rewrites `accepted`, then drops that status, `orders.accepted_at` and `idempotency`.
set local lock_timeout = '5s';

alter table orders
    drop constraint orders_status_check,
    add constraint orders_status_check
        check (status in ('placed', 'accepted', 'confirmed', 'shipped', 'delivered', 'cancelled')) not valid,
    add column cancel_reason text,
    -- What the payment provider gave for the card; kept so that a lost `order.placed` can be told again.
    add column payment_token text;

-- One row per customer, so that a change of the cart and the checkout that empties it meet at one lock.
create table carts (
    user_id uuid primary key,
    products uuid[] not null,
    quantities integer[] not null,
    updated_at timestamptz not null default now(),
    check (cardinality(products) = cardinality(quantities) and cardinality(products) <= 50)
);

-- Answers to requests that carried an Idempotency-Key.
create table order_idempotency (
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

create index order_idempotency_age on order_idempotency (created_at);

-- The smallest id an order of this month can have: a UUIDv7 begins with its milliseconds since 1970.
create function order_month_floor(month date) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from month::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- The tables as they are will be the partition of the next month and of all before it: whatever is written until the
-- last of these migrations has run belongs there, also across the end of a month. The bound is checked for new rows
-- from now on and for old ones by the next migration, which blocks nobody; only then is attaching a matter of names.
do $$
declare
    last date := (date_trunc('month', now() at time zone 'utc') + interval '1 month')::date;
    bound uuid := order_month_floor((last + interval '1 month')::date);
begin
    execute format('alter table orders add constraint %I check (id < %L::uuid) not valid',
        'orders_until_' || to_char(last, 'YYYY_MM'), bound);
    execute format('alter table order_lines add constraint order_lines_until check (order_id < %L::uuid) not valid', bound);
end $$;
