//! The order service over two real shards. RabbitMQ takes part where events do.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod bodies;
mod cart;
mod change;
mod checkout;
mod keys;
mod later;
mod months;
mod orders;
mod relay;
mod roles;
mod saga;
mod shipping;
mod shop;
mod stage;
mod states;
mod unknown;
mod upgrade;
mod wire;
