-- RFC 3339 in UTC; text, because the programs never calculate with it.
create function inventory_time(moment timestamptz) returns text language sql stable
    return to_char(moment at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- Reserves one order in one go: checkout waits for it, so it is one statement. It never waits for another order: it
-- takes slots nobody holds, each with enough for its line. The outcome is
--   held       taken and written; `expires_at` is set
--   short      the lines in `short` (from 1) ask for more than is free: seen in one snapshot, so true when seen
--   contended  there may be enough, but in slots others hold or spread over several: nothing was written, ask again
--              the slow way, which locks all slots of the products in order
--   known      the order was here before; the rest is its row
-- Nothing here waits for a slot, and who waits for slots does so in one order: so there is no deadlock.
create function inventory_reserve(
    the_order uuid, wanted uuid[], amounts integer[], hold_seconds double precision,
    out outcome text, out expires_at text, out state text,
    out products uuid[], out slots smallint[], out quantities integer[], out short integer[])
language plpgsql as $$
declare
    place smallint;
    free bigint;
    contended boolean := false;
begin
    outcome := 'known';
    select r.state, r.products, r.slots, r.quantities, inventory_time(r.expires_at)
        into state, products, slots, quantities, expires_at
        from inventory_reservations r where r.order_id = the_order;
    if found then return; end if;

    slots := '{}';
    short := '{}';
    for i in 1 .. cardinality(wanted) loop
        place := null;
        if not contended and cardinality(short) = 0 then
            -- Each session begins at another slot, and stays with it: a group of orders then holds few.
            select s.slot into place from stock_slots s
                where s.product_id = wanted[i] and s.on_hand - s.reserved >= amounts[i]
                order by (s.slot + pg_backend_pid()) % 16 limit 1 for update skip locked;
        end if;
        if place is not null then
            slots := slots || place;
            continue;
        end if;
        select coalesce(sum(s.on_hand - s.reserved), 0) into free from stock_slots s where s.product_id = wanted[i];
        if free < amounts[i] then
            short := short || i;
        else
            contended := true;
        end if;
    end loop;
    outcome := case when cardinality(short) > 0 then 'short' when contended then 'contended' else 'held' end;
    if outcome <> 'held' then return; end if;

    update stock_slots s set reserved = s.reserved + taken.quantity
        from unnest(wanted, inventory_reserve.slots, amounts) as taken (product_id, slot, quantity)
        where s.product_id = taken.product_id and s.slot = taken.slot;
    insert into inventory_reservations as r (order_id, state, products, slots, quantities, expires_at)
        values (the_order, 'reserved', wanted, inventory_reserve.slots, amounts,
                now() + make_interval(secs => hold_seconds))
        returning inventory_time(r.expires_at) into inventory_reserve.expires_at;
end $$;
