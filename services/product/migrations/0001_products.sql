create table products (
    id uuid primary key,
    name text not null,
    description text not null,
    price_cents bigint not null check (price_cents >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    -- False for what can be ordered by id but appears in no list.
    listed boolean not null default true,
    created_at timestamptz not null default now()
);

create index products_listed on products (id) where listed;

-- What the operator orders to prove that the shop works.
insert into products (id, name, description, price_cents, currency, listed)
values ('01900000-0000-7000-8000-000000000001', 'Test order', 'Ordered by the operator only', 100, 'EUR', false);
