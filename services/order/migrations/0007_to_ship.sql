-- What those who send goods ask for: orders to be sent, oldest first, and orders on their way. Partial, so that they hold
-- only what is still to be done. Writers wait for one reading of the tables; why not `concurrently`, see 0005.
set local lock_timeout = '5s';

create index orders_to_ship on orders (id) where status in ('accepted', 'confirmed');
create index orders_to_deliver on orders (id) where status = 'shipped';
