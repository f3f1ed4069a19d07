//! Real datastores for tests, on loopback: Postgres, a Redis server or cluster, RabbitMQ, from Debian's packages.
//!
//! A server lives as long as the value, or, for `shared()`, as long as the test process; it ends with it also after a
//! panic or a kill. Each server has its own loopback address, its own folder and its own password. Only for tests.

mod guard;
mod place;
mod postgres;
mod rabbitmq;
mod redis;
mod wait;

pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use redis::{Redis, RedisCluster};
