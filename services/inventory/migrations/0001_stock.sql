-- Units of a product, split over slots, so that orders of one hot product need not wait for each other. Slots are only
-- ever added. Half of each page stays free: a change of `reserved` then touches no index.
create table stock_slots (
    product_id uuid not null,
    slot smallint not null check (slot between 0 and 15),
    -- Not sold yet; what is reserved is among them.
    on_hand integer not null check (on_hand >= 0),
    reserved integer not null default 0 check (reserved >= 0),
    primary key (product_id, slot),
    constraint stock_slots_never_oversold check (reserved <= on_hand)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- What an order holds, or held: line i is `quantities[i]` units of `products[i]` from slot `slots[i]`. A product is in
-- several lines when no slot had enough. A tombstone is an order cancelled before it reserved.
create table inventory_reservations (
    order_id uuid primary key,
    state text not null check (state in ('reserved', 'claimed', 'released', 'expired', 'rejected', 'tombstone')),
    products uuid[] not null default '{}',
    slots smallint[] not null default '{}',
    quantities integer[] not null default '{}',
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    check (cardinality(products) = cardinality(slots) and cardinality(products) = cardinality(quantities)),
    check (0 < all (quantities))
);

create index inventory_reservations_due on inventory_reservations (expires_at) where state = 'reserved';
create index inventory_reservations_done on inventory_reservations (settled_at) where state <> 'reserved';

-- Every change of `on_hand`, for ever: per product their sum is what is on hand.
create table stock_movements (
    id bigint generated always as identity primary key,
    product_id uuid not null,
    order_id uuid,
    kind text not null check (kind in ('seeded', 'restocked', 'adjusted', 'claimed', 'returned')),
    quantity integer not null check (quantity <> 0),
    created_at timestamptz not null default now(),
    constraint stock_movements_of_orders check ((order_id is not null) = (kind in ('claimed', 'returned'))),
    constraint stock_movements_sign check (kind = 'adjusted' or (quantity < 0) = (kind = 'claimed'))
);

-- An order claims a product once and gives it back once, whatever the program believes.
create unique index stock_movements_of_order on stock_movements (order_id, product_id, kind) where order_id is not null;
create index stock_movements_of_product on stock_movements (product_id, id);

create function stock_movements_stay() returns trigger language plpgsql as $$
begin
    raise exception 'stock_movements is append-only';
end $$;

create trigger stock_movements_append_only before update or delete or truncate on stock_movements
    for each statement execute function stock_movements_stay();

-- Who changed stock by hand, and why.
create table stock_changes (
    id uuid primary key,
    product_id uuid not null,
    kind text not null check (kind in ('seeded', 'restocked', 'adjusted')),
    quantity integer not null check (quantity <> 0),
    reason text,
    actor uuid not null,
    created_at timestamptz not null default now()
);

create index stock_changes_of_product on stock_changes (product_id, created_at);
