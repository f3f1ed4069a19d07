-- Confirmed orders by the hour of their confirmation.
create table analytics_sales (
    hour timestamptz not null,
    currency text not null,
    orders bigint not null,
    items bigint not null,
    cents bigint not null,
    primary key (hour, currency)
);

-- How many came how far, by the hour in which it happened; `reason` is that of a cancellation, else empty.
create table analytics_funnel (
    hour timestamptz not null,
    step text not null check (step in ('registered', 'placed', 'confirmed', 'cancelled')),
    reason text not null default '',
    count bigint not null,
    primary key (hour, step, reason)
);
