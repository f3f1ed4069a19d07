//! Patroni's answers as plain values, and what differs between two configurations. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub members: Vec<Member>,
    /// Patroni leaves failover to people.
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// `leader`, `sync_standby`, `quorum_standby`, `replica`, `standby_leader`.
    pub role: String,
    /// `running`, `streaming`, `starting`, `stopped`, `crashed`, …
    pub state: String,
    /// Behind the leader; none for the leader and when Patroni does not know.
    pub lag_bytes: Option<u64>,
    pub timeline: Option<u64>,
}

impl Cluster {
    pub fn leader(&self) -> Option<&str> {
        self.members
            .iter()
            .find(|member| member.role == "leader")
            .map(|member| member.name.as_str())
    }

    /// The member is leader and its Postgres runs.
    pub fn led_by(&self, name: &str) -> bool {
        self.members
            .iter()
            .any(|member| member.name == name && member.role == "leader" && member.state == "running")
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Member { name, role, state, .. }) in self.members.iter().enumerate() {
            write!(f, "{}{name} {role} {state}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.paused { " (paused)" } else { "" })
    }
}

#[derive(Deserialize)]
struct WireCluster {
    members: Vec<WireMember>,
    #[serde(default)]
    pause: bool,
}

#[derive(Deserialize)]
struct WireMember {
    name: String,
    role: String,
    #[serde(default)]
    state: String,
    /// A number, or the word "unknown".
    lag: Option<Value>,
    timeline: Option<u64>,
}

pub(super) fn cluster(body: &Value) -> Result<Cluster, serde_json::Error> {
    let WireCluster { members, pause } = WireCluster::deserialize(body)?;
    let members = members
        .into_iter()
        .map(
            |WireMember {
                 name,
                 role,
                 state,
                 lag,
                 timeline,
             }| {
                let lag_bytes = lag.as_ref().and_then(Value::as_u64);
                Member {
                    name,
                    role,
                    state,
                    lag_bytes,
                    timeline,
                }
            },
        )
        .collect();
    Ok(Cluster { members, paused: pause })
}

/// What belongs to us whole: a parameter that is not wanted any more is removed. All other keys are left alone.
const OURS: &str = "/postgresql/parameters";

/// The smallest patch that makes `wanted` so in `present`; none when it is. A null removes a key.
pub(super) fn difference(present: &Value, wanted: &Value) -> Option<Value> {
    let mut wanted = wanted.clone();
    if let (Some(Value::Object(present)), Some(Value::Object(wanted))) =
        (present.pointer(OURS), wanted.pointer_mut(OURS))
    {
        for key in present.keys() {
            wanted.entry(key).or_insert(Value::Null);
        }
    }
    changes(present, &wanted)
}

fn changes(present: &Value, wanted: &Value) -> Option<Value> {
    let Value::Object(wanted) = wanted else {
        return (present != wanted).then(|| wanted.clone());
    };
    let nothing = Map::new();
    let present = present.as_object().unwrap_or(&nothing);
    let patch: Map<String, Value> = wanted
        .iter()
        .filter_map(|(key, value)| {
            let patch = match present.get(key) {
                Some(now) => changes(now, value)?,
                None if value.is_null() => return None,
                None => value.clone(),
            };
            Some((key.clone(), patch))
        })
        .collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The shape of Patroni 4's answer to `GET /cluster`, written after its REST interface's documentation.
    #[test]
    fn reads_leader_standby_lag_and_pause() {
        let body = json!({
            "members": [
                {"name": "demo-orders-0-0", "role": "leader", "state": "running", "host": "198.18.111.5", "port": 5432,
                 "api_url": "http://198.18.111.5:8008/patroni", "timeline": 3},
                {"name": "demo-orders-0-1", "role": "sync_standby", "state": "streaming", "host": "198.18.112.5",
                 "port": 5432, "api_url": "http://198.18.112.5:8008/patroni", "timeline": 3, "lag": 16},
                {"name": "demo-orders-0-2", "role": "replica", "state": "starting", "lag": "unknown"},
            ],
            "scope": "demo-orders-0",
            "pause": true,
        });
        let cluster = cluster(&body).expect("readable");
        assert_eq!(cluster.leader(), Some("demo-orders-0-0"));
        assert!(cluster.led_by("demo-orders-0-0") && !cluster.led_by("demo-orders-0-1"));
        assert_eq!(
            cluster.members.iter().map(|m| m.lag_bytes).collect::<Vec<_>>(),
            [None, Some(16), None]
        );
        assert!(cluster.paused);
    }

    #[test]
    fn a_patch_holds_only_what_differs() {
        let present = json!({"ttl": 20, "postgresql": {"parameters": {"max_connections": 100, "jit": "off"}}});
        let wanted =
            json!({"ttl": 20, "postgresql": {"parameters": {"max_connections": 120, "jit": "off"}}, "gone": null});
        let patch = difference(&present, &wanted);
        assert_eq!(
            patch,
            Some(json!({"postgresql": {"parameters": {"max_connections": 120}}}))
        );
        assert_eq!(difference(&wanted, &wanted), None);
        assert_eq!(difference(&present, &json!({"ttl": null})), Some(json!({"ttl": null})));
    }

    #[test]
    fn a_parameter_nobody_wants_any_more_is_removed() {
        let present = json!({"ttl": 20, "pause": false, "postgresql": {
            "use_slots": true, "parameters": {"jit": "off", "work_mem": "1MB", "Synchronous_Commit": "off"}}});
        let wanted = json!({"ttl": 20, "postgresql": {"parameters": {"jit": "off"}}});
        let removed = json!({"postgresql": {"parameters": {"work_mem": null, "Synchronous_Commit": null}}});
        assert_eq!(difference(&present, &wanted), Some(removed));
        // Who says nothing about parameters takes none away.
        assert_eq!(difference(&present, &json!({"postgresql": {"use_slots": true}})), None);
    }
}
