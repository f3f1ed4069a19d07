//! What is learnt and counted from events and what of it is shown, with real Postgres and RabbitMQ.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod analytics;
mod events;
mod learning;
mod roles;
mod shop;
