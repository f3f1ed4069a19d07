//! The harness of the end-to-end promises: a real cluster in (`KUBECONFIG`), one sentence per promise out.
//! It speaks the language of the tests: a `Shop` in a namespace of its own, `eventually` something holds, a pod is
//! `held_away`. It waits only by asking again until a deadline, and prints the last state it saw when that passes.
//! It decides nothing about the shop and knows the operator only from outside: its pods, its metrics, its writes.

pub mod audit;
pub mod books;
pub mod cluster;
pub mod customer;
pub mod fault;
pub mod inside;
pub mod measure;
pub mod operator;
pub mod seed;
pub mod shop;
pub mod spec;
pub mod stage;
pub mod status;
pub mod waiting;
pub mod writes;

pub use cluster::Cluster;
pub use customer::{Customer, Storefront};
pub use shop::Shop;
pub use waiting::{eventually, throughout};

use std::time::Duration;

/// What a bring-up, a roll or a recovery may take on a slow, busy machine. No promise is about speed.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// What a reaction of the operator to something it watches may take.
pub const SOON: Duration = Duration::from_secs(120);
