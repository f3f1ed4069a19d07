create table shop_test (id integer primary key);
