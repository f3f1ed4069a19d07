//! The stock over real Postgres and RabbitMQ: whatever happens at the same time, twice or half, the books are right.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod api;
mod books;
mod changes;
mod crowd;
mod killed;
mod reservations;
mod roles;
mod rules;
mod saga;
mod seeding;
mod shop;
mod worker;
