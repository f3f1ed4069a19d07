//! Verbs on datastores: Postgres under Patroni, Redis (cluster or single), RabbitMQ.
//!
//! In come addresses, credentials and the wished state as plain values; out come what was seen and what was changed.
//! Knows neither the CRD nor Kubernetes. Every call has a deadline; `read_*` never writes; `ensure_*` is idempotent
//! and writes nothing when nothing differs. Passwords appear in no error, report or log line.

pub mod outcome;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;

pub use outcome::{Class, Report};
