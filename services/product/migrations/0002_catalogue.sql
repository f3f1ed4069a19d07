-- Pods of the version before go on meanwhile: every new column has a default or may be null, none is renamed.

-- A tree of two levels: a category whose parent is null, and those below it.
create table product_categories (
    slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 60),
    name text not null,
    parent text references product_categories (slug),
    check (parent <> slug)
);

-- Brand and category are columns because every product has at most one and lists are sorted within them. Everything
-- else a kind of product may be filtered by differs from kind to kind, so it is one jsonb of texts under one index.
alter table products
    add column category text references product_categories (slug),
    add column brand text,
    add column attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
    -- Grows with every change; tells an older copy of a product from a newer one.
    add column version bigint not null default 1,
    -- What was removed stays, for the orders that hold it and so that its version goes on.
    add column deleted_at timestamptz;

-- Writes the table anew: about a second for 100,000 products.
alter table products add column search tsvector generated always as (
    setweight(to_tsvector('english'::regconfig, name), 'A')
    || setweight(to_tsvector('english'::regconfig, coalesce(brand, '') || ' ' || translate(coalesce(category, ''), '-', ' ')), 'B')
    || setweight(to_tsvector('english'::regconfig, description), 'C')
    || setweight(jsonb_to_tsvector('english'::regconfig, attributes, '["string"]'), 'D')
) stored;

create index products_search on products using gin (search) where listed;
create index products_attributes on products using gin (attributes jsonb_path_ops) where listed;
create index products_price on products (price_cents, id) where listed;
create index products_category on products (category, id) where listed;
create index products_category_price on products (category, price_cents, id) where listed;
create index products_brand on products (brand, id) where listed;
