-- Reads the tables once, while everybody goes on writing.
do $$
declare
    name text;
begin
    for name in select conname from pg_constraint where conrelid = 'orders'::regclass and not convalidated loop
        execute format('alter table orders validate constraint %I', name);
    end loop;
    alter table order_lines validate constraint order_lines_until;
end $$;
