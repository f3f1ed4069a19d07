//! Patroni's REST interface: who is leader, the dynamic configuration, a planned handover.
//!
//! `shape` reads its answers and compares configurations (pure), `rest` asks; this file holds the verbs.
//! Any member can be asked, so one that is gone does not matter. Restarts nothing by itself.

mod rest;
mod shape;

pub use shape::{Cluster, Member};

use super::PostgresError;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SWITCHOVER: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// A member of one shard: its Patroni answers on `host:port` (port 8008 by default).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The member's name in Patroni, which is the pod's.
    pub name: String,
    pub host: String,
    pub port: u16,
}

/// `GET /cluster` of the first member that answers; an error when none does within 5 s.
pub async fn read_cluster(addresses: &[Address]) -> Result<Cluster, PostgresError> {
    let action = "reading the cluster";
    let answer = rest::get(addresses, "/cluster", action).await?;
    shape::cluster(&answer.body).map_err(|cause| PostgresError::Unreadable {
        host: answer.host,
        action,
        cause: cause.to_string(),
    })
}

/// Makes the keys of `config` so in Patroni's dynamic configuration and leaves all others alone; a null removes one, and a
/// parameter of Postgres that `config` does not name is removed. Writes only what differs; true when it wrote.
pub async fn ensure_config(addresses: &[Address], config: &Value) -> Result<bool, PostgresError> {
    let answer = rest::get(addresses, "/config", "reading the configuration").await?;
    match shape::difference(&answer.body, config) {
        None => Ok(false),
        Some(patch) => rest::patch_config(addresses, &patch).await.map(|()| true),
    }
}

/// Hands the primary over from `from` to `to` and waits until `to` runs as leader; nothing to do when it does already.
/// Fails when somebody else is leader, when Patroni refuses, or after 60 s.
pub async fn switchover(addresses: &[Address], from: &str, to: &str) -> Result<(), PostgresError> {
    let end = Instant::now() + SWITCHOVER;
    let before = read_cluster(addresses).await?;
    if before.led_by(to) {
        return Ok(());
    }
    if before.leader() != Some(from) {
        return Err(failed(from, to, &format!("{from} is not the leader: {before}")));
    }
    // Patroni answers only when it is done, so a lost answer says nothing: what counts is who leads in the end.
    let asked = rest::post_switchover(addresses, from, to).await;
    if let Err(refused @ PostgresError::Patroni { .. }) = asked {
        return Err(refused);
    }
    let mut seen = String::new();
    while Instant::now() < end {
        match read_cluster(addresses).await {
            Ok(cluster) if cluster.led_by(to) => return Ok(()),
            Ok(cluster) => seen = cluster.to_string(),
            Err(error) => seen = error.to_string(),
        }
        sleep(PAUSE).await;
    }
    let asked = asked
        .err()
        .map(|error| format!(" (asked: {error})"))
        .unwrap_or_default();
    Err(failed(from, to, &format!("{seen}{asked}")))
}

fn failed(from: &str, to: &str, seen: &str) -> PostgresError {
    PostgresError::Switchover {
        from: from.to_owned(),
        to: to.to_owned(),
        seconds: SWITCHOVER.as_secs(),
        seen: seen.to_owned(),
    }
}
