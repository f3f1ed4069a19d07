//! Step 1: caches and last known answers of the datastores → `Observed`. No request is made here, so that the first write
//! after an edit waits for nobody; the datastores are asked in the background by [`datastores`].

pub mod datastores;
pub mod secrets;

use crate::cache::{Cache, ShopKey};
use crate::kinds::index_of;
use crate::memory::Shared;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use shop_contract::shard_map::{self, ShardMap};
use shop_plan::digest::digest_of;
use shop_plan::names;
use shop_plan::observed::{Observed, Seen};
use std::collections::BTreeMap;

/// Everything known about a shop at this moment.
pub fn observe(cache: &Cache, key: &ShopKey, memory: &Shared) -> Observed {
    let pods: Seen<Vec<Pod>> = cache.list(key, "Pod");
    let mut memory = memory.lock();
    let fingerprint = fingerprint(&pods);
    if memory.pods != fingerprint {
        memory.pods = fingerprint;
        memory.pods_changed = true;
    }
    Observed {
        stateful_sets: cache.list(key, "StatefulSet"),
        deployments: cache.list(key, "Deployment"),
        pods,
        claims: cache.list(key, "PersistentVolumeClaim"),
        secrets: secrets::observe(cache, key, &memory),
        shard_map: shard_map_of(
            config_map(cache, key, &names::shard_map(&key.name)),
            &names::shard_map(&key.name),
        ),
        postgres: memory.views.postgres.clone(),
        redis: memory.views.redis.clone(),
        rabbitmq: memory.views.rabbitmq.clone(),
        proof: memory.proof.clone().map_or_else(
            || Seen::Unknown("this process has not tried yet".to_owned()),
            Seen::Known,
        ),
        done: memory.done.clone(),
    }
}

/// What decides whether the datastores should be asked again: which pods there are, where, and whether they are ready.
fn fingerprint(pods: &Seen<Vec<Pod>>) -> String {
    let seen: BTreeMap<_, _> = pods
        .known()
        .into_iter()
        .flatten()
        .map(|pod| {
            let address = pod.status.as_ref().and_then(|status| status.pod_ip.clone());
            let ready = shop_plan::pod::is_ready(pod);
            (
                pod.metadata.name.clone().unwrap_or_default(),
                (pod.metadata.uid.clone(), address, ready),
            )
        })
        .collect();
    digest_of(&seen)
}

/// The one ConfigMap that is read.
fn config_map(cache: &Cache, key: &ShopKey, name: &str) -> Seen<ConfigMap> {
    let kind = index_of("ConfigMap").expect("ConfigMap is in the table of kinds");
    if !cache.known(kind) {
        return Seen::Unknown("ConfigMap: the first list is not complete".to_owned());
    }
    match cache.entry(key, kind, name) {
        None => Seen::Absent,
        Some(entry) => serde_json::from_value(entry.value())
            .map_or_else(|error| Seen::Unknown(format!("ConfigMap {name}: {error}")), Seen::Known),
    }
}

fn shard_map_of(map: Seen<ConfigMap>, name: &str) -> Seen<ShardMap> {
    let map = match map {
        Seen::Known(map) => map,
        Seen::Absent => return Seen::Absent,
        Seen::Unknown(why) => return Seen::Unknown(why),
    };
    let data = map.data.unwrap_or_default();
    let text = data.get(shard_map::FILE).map(String::as_str).unwrap_or_default();
    match ShardMap::parse(text) {
        Ok(map) => Seen::Known(map),
        Err(error) if is_newer(text) => Seen::Unknown(format!("ConfigMap {name}: {error}")),
        Err(error) => {
            tracing::warn!(config_map = name, %error, "written again: somebody spoilt it");
            Seen::Absent
        }
    }
}

/// A later operator's document must survive an earlier operator.
fn is_newer(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|document| document["format"].as_u64() > Some(u64::from(shard_map::FORMAT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn maps(text: &str) -> Seen<ConfigMap> {
        let map = json!({"metadata": {"name": "demo-shard-map"}, "data": {"shard-map.json": text}});
        Seen::Known(serde_json::from_value(map).expect("a config map"))
    }

    #[test]
    fn a_spoilt_shard_map_is_written_again_and_a_newer_one_left_alone() {
        let name = "demo-shard-map";
        for spoilt in ["", "nonsense", "{}", r#"{"format": 1}"#] {
            assert_eq!(shard_map_of(maps(spoilt), name), Seen::Absent, "{spoilt}");
        }
        assert!(matches!(
            shard_map_of(maps(r#"{"format": 2, "ranges": []}"#), name),
            Seen::Unknown(_)
        ));
        assert_eq!(shard_map_of(Seen::Absent, name), Seen::Absent);
        assert!(matches!(
            shard_map_of(Seen::Unknown("not listed".into()), name),
            Seen::Unknown(_)
        ));
    }
}
