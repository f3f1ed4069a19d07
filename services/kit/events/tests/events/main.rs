//! Events over a real RabbitMQ and real Postgres servers: nothing is lost, and what breaks is tried again, whatever
//! breaks.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod consuming;
mod dead_letters;
mod place;
mod relaying;
