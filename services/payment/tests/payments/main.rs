//! Payments over real Postgres: what comes in, what the provider did, what the shop is told.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod events;
mod faults;
mod history;
mod later;
mod orders;
mod providers;
mod queue;
mod refunds;
mod roles;
mod shop;
mod tokens;
mod webhooks;
