-- Where an order is sent. A nullable column without a default: nothing is written anew, and pods of the version before
-- go on without it.
alter table orders add column ship_to jsonb;
