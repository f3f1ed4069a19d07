-- In how many orders a product was.
create table recommendation_items (
    product_id uuid primary key,
    orders bigint not null
);

-- In how many orders two products were together; each pair lies here in both directions.
create table recommendation_pairs (
    product_id uuid not null,
    other_id uuid not null,
    orders bigint not null,
    primary key (product_id, other_id)
);

create index recommendation_pairs_most on recommendation_pairs (product_id, orders desc, other_id);

-- Pieces sold by day (UTC), for the best sellers of the last days.
create table recommendation_sales (
    day date not null,
    product_id uuid not null,
    quantity bigint not null,
    primary key (day, product_id)
);

-- What each customer bought last.
create table recommendation_recent (
    user_id uuid not null,
    product_id uuid not null,
    bought_at timestamptz not null,
    primary key (user_id, product_id)
);

create index recommendation_recent_newest on recommendation_recent (user_id, bought_at desc, product_id);

-- What was counted: `event_id` is that of the order or the customer, not of the event, because the same fact may be told
-- again by an event with an id of its own.
create table recommendation_inbox (
    consumer text not null,
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index recommendation_inbox_age on recommendation_inbox (handled_at);
