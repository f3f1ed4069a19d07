-- Orders, their lines and their history by month. Partitioned by range of the order's id: a UUIDv7 carries its time, so
-- the id alone is the primary key and finds its one partition, and nobody has to know when an order was placed to find
-- it. Nothing is copied: the tables as they are become the partition of the month the first of these migrations named
-- and of all before it (an empty one is dropped). Statements of pods of the version before mean the new tables from
-- their next use on. No foreign key: an order and its lines are one statement, and a key would have to be dropped to
-- detach a month; the trigger at the end takes over the cascade.
set local lock_timeout = '5s';
lock table orders, order_lines in access exclusive mode;

do $$
declare
    month text;
begin
    select right(conname, 7) into strict month from pg_constraint
    where conrelid = 'orders'::regclass and conname like 'orders\_until\_%';
    alter table order_lines drop constraint order_lines_order_id_fkey;
    execute format('alter index orders_pkey rename to %I', 'orders_' || month || '_pkey');
    execute format('alter index orders_of_user rename to %I', 'orders_' || month || '_of_user');
    execute format('alter index orders_synthetic rename to %I', 'orders_' || month || '_synthetic');
    execute format('alter index orders_placed rename to %I', 'orders_' || month || '_placed');
    execute format('alter index order_lines_pkey rename to %I', 'order_lines_' || month || '_pkey');
    execute format('alter table orders rename to %I', 'orders_' || month);
    execute format('alter table order_lines rename to %I', 'order_lines_' || month);
end $$;

create table orders (
    id uuid primary key,
    user_id uuid not null,
    status text not null default 'placed' constraint orders_status_check
        check (status in ('placed', 'accepted', 'confirmed', 'shipped', 'delivered', 'cancelled')),
    total_cents bigint not null constraint orders_total_cents_check check (total_cents >= 0),
    currency text not null,
    synthetic boolean not null default false,
    created_at timestamptz not null default now(),
    accepted_at timestamptz,
    cancel_reason text,
    payment_token text
) partition by range (id);

create index orders_of_user on orders (user_id, id desc);
create index orders_synthetic on orders (created_at) where synthetic;
create index orders_placed on orders (id) where status = 'placed';

create table order_lines (
    order_id uuid not null,
    position integer not null,
    product_id uuid not null,
    quantity integer not null constraint order_lines_quantity_check check (quantity > 0),
    -- Of one piece, when it was ordered.
    price_cents bigint not null constraint order_lines_price_cents_check check (price_cents >= 0),
    primary key (order_id, position)
) partition by range (order_id);

-- Every transition; that an order enters a status once is the key. `placed` is the order's own row.
create table order_history (
    order_id uuid not null,
    status text not null,
    cancel_reason text,
    actor text not null,
    actor_id uuid,
    at timestamptz not null,
    primary key (order_id, status)
) partition by range (order_id);

-- Makes the partitions of a month that are not there. Made apart and then attached, which lets others write meanwhile.
create function order_month_make(month date) returns void language plpgsql as $$
declare
    noun text;
    part text;
begin
    -- Two workers may look at the same moment.
    perform pg_advisory_xact_lock(hashtext('order_month'));
    foreach noun in array array['orders', 'order_lines', 'order_history'] loop
        part := noun || '_' || to_char(month, 'YYYY_MM');
        continue when to_regclass(part) is not null;
        execute format('create table %I (like %I including defaults including constraints)', part, noun);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', noun, part,
            order_month_floor(month), order_month_floor((month + interval '1 month')::date));
    end loop;
end $$;

-- Takes a month out of sight; its tables stay, for whoever keeps or drops them. False when an order in it still waits
-- for its payment.
create function order_month_detach(month date) returns boolean language plpgsql as $$
declare
    noun text;
    waiting boolean;
begin
    perform pg_advisory_xact_lock(hashtext('order_month'));
    execute format('select exists (select from %I where status = %L)', 'orders_' || to_char(month, 'YYYY_MM'), 'placed')
        into waiting;
    if waiting then
        return false;
    end if;
    foreach noun in array array['orders', 'order_lines', 'order_history'] loop
        execute format('alter table %I detach partition %I', noun, noun || '_' || to_char(month, 'YYYY_MM'));
    end loop;
    return true;
end $$;

do $$
declare
    this date := date_trunc('month', now() at time zone 'utc')::date;
    last date;
    noun text;
    part text;
    used boolean;
    month date;
begin
    select to_date(right(conname, 7), 'YYYY_MM') into strict last from pg_constraint where conname like 'orders\_until\_%';
    execute format('select exists (select from %I)', 'orders_' || to_char(last, 'YYYY_MM')) into used;
    foreach noun in array array['orders', 'order_lines', 'order_history'] loop
        part := noun || '_' || to_char(last, 'YYYY_MM');
        if used then
            execute format('create table if not exists %I (like %I)', part, noun);
            execute format('alter table %I attach partition %I for values from (minvalue) to (%L)', noun, part,
                order_month_floor((last + interval '1 month')::date));
        else
            execute format('drop table if exists %I', part);
        end if;
    end loop;
    if used then
        execute format('alter table %I drop constraint %I',
            'orders_' || to_char(last, 'YYYY_MM'), 'orders_until_' || to_char(last, 'YYYY_MM'));
        execute format('alter table %I drop constraint order_lines_until', 'order_lines_' || to_char(last, 'YYYY_MM'));
    end if;
    -- Of a new shop from the month before on: a clock may be a little behind.
    for month in select generate_series(
        case when used then last + interval '1 month' else this - interval '1 month' end,
        this + interval '3 months', interval '1 month')::date
    loop
        perform order_month_make(month);
    end loop;
end $$;

-- Lines and history go with their order.
create function orders_gone() returns trigger language plpgsql as $$
begin
    delete from order_lines where order_id = any (array(select id from gone));
    delete from order_history where order_id = any (array(select id from gone));
    return null;
end $$;

create trigger orders_gone after delete on orders
    referencing old table as gone for each statement execute function orders_gone();
