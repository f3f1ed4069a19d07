//! What the operator and the services promise each other, in one place: both sides compile against it, so a name, a
//! port or a route cannot drift apart. Holds data and pure functions only; it opens no connection and reads no clock.

pub mod api;
pub mod bucket;
pub mod database;
pub mod env;
pub mod event;
pub mod port;
pub mod probe;
pub mod problem;
pub mod seed;
pub mod service;
pub mod shard_map;
