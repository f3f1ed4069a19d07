-- A month is detached only when every order in it is at its end: one that is still to be paid, sent or delivered has to be
-- found by those who do that. One look for each status, because each has an index that holds only what is to be done.
create or replace function order_month_detach(month date) returns boolean language plpgsql as $$
declare
    noun text;
    not_done text;
    found boolean;
begin
    perform pg_advisory_xact_lock(hashtext('order_month'));
    foreach not_done in array array['placed', 'confirmed', 'accepted', 'shipped'] loop
        execute format('select exists (select from %I where status = %L)',
            'orders_' || to_char(month, 'YYYY_MM'), not_done) into found;
        if found then
            return false;
        end if;
    end loop;
    foreach noun in array array['orders', 'order_lines', 'order_history'] loop
        execute format('alter table %I detach partition %I', noun, noun || '_' || to_char(month, 'YYYY_MM'));
    end loop;
    return true;
end $$;
