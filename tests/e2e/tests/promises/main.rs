//! Promises the operator keeps on a real cluster, one per file. They are ignored by a plain `cargo test`; run them with
//! `./shop test`, or `cargo test -p shop-e2e --test promises -- --ignored` with `KUBECONFIG` set.

mod alone;
mod bad_image_never_takes_down;
mod creates_a_shop;
mod cut_off_creation;
mod datastore_without_redundancy;
mod deletion;
mod deletion_leftovers;
mod events;
mod failover_loses_nothing;
mod faults_leave_the_books_right;
mod fewer_servers;
mod leaves_others_alone;
mod lost_shard;
mod names_the_tier;
mod one_process;
mod own_service;
mod redis_heals;
mod refuses_bad_specs;
mod repairs_children;
mod routes_an_order_to_the_right_shard;
mod scales;
mod sells_and_refunds;
mod suspend_and_resume;
