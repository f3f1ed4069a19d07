-- Few rows, the ones somebody asks about: how long orders wait for their payment. Writers wait for one reading of the
-- table. Not `concurrently`: that waits for every statement in this database, also for the migration of another service
-- that waits for this one's advisory lock.
create index orders_placed on orders (id) where status = 'placed';
