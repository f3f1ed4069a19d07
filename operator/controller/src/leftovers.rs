//! What a deleted shop leaves behind although nobody wants it: a Patroni that is being ended may write its Endpoints once
//! more after Kubernetes removed them with their Services, and then nothing owns them. In comes the key of a shop that is
//! gone, out goes when to look again. Deletes only while the API server itself says that neither the shop nor a pod or a
//! StatefulSet of it exists, and only the very versions it listed before it asked: a shop made again keeps its records.

use crate::cache::{Cache, ShopKey};
use crate::context::Context;
use crate::kinds::index_of;
use crate::memory::Memory;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Endpoints, Pod};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Preconditions};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use shop_api::ShopDeployment;
use shop_plan::names;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// The uid under which nothing but the end of a shop is remembered.
const NO_SHOP: &str = "";
/// A Patroni whose pod was removed by force still runs for a while; longer than its leader record lives.
const LINGERS: Duration = Duration::from_secs(30);

/// Removes what is left, and looks once more when a straggler has had its time.
pub async fn sweep(context: &Context, key: &ShopKey) -> Option<Duration> {
    let memory = context.memory.of(key, NO_SHOP);
    if still_runs(&context.cache, key) {
        // Its end wakes us.
        return None;
    }
    match remove(context.client.clone(), key).await {
        Ok(removed) => {
            let mut memory = memory.lock();
            memory.backoff.succeed();
            if !removed.is_empty() {
                tracing::info!(shop = %key, removed = removed.join(", "), "left by a Patroni that was being ended");
                context
                    .metrics
                    .writes
                    .with_label_values(&["Endpoints"])
                    .inc_by(removed.len() as f64);
                memory.last_trace = None;
            }
            let since = memory.last_trace.get_or_insert_with(Instant::now).elapsed();
            drop(memory);
            rest(&context.memory, key, since)
        }
        Err(error) => {
            tracing::warn!(shop = %key, %error, "what a deleted shop left was not removed, trying again");
            Some(memory.lock().backoff.fail(rand::random()))
        }
    }
}

/// When to look again; past that, nothing is remembered of the shop.
fn rest(memory: &Memory, key: &ShopKey, since: Duration) -> Option<Duration> {
    let left = LINGERS.checked_sub(since);
    if left.is_none() {
        memory.forget(key);
    }
    left
}

/// By the caches, which may lag behind: only saves requests.
fn still_runs(cache: &Cache, key: &ShopKey) -> bool {
    ["Pod", "StatefulSet"]
        .into_iter()
        .filter_map(index_of)
        .any(|kind| !cache.names(key, kind).is_empty())
}

/// Deletes the Endpoints of a shop that is gone; returns their names. A version newer than the listed one is refused by
/// the API server as a conflict.
async fn remove(client: Client, key: &ShopKey) -> kube::Result<Vec<String>> {
    let api: Api<Endpoints> = Api::namespaced(client.clone(), &key.namespace);
    let selector = names::patroni_selector(&key.name);
    let left = api.list_metadata(&ListParams::default().labels(&selector)).await?.items;
    // In this order: who comes after the list writes a new version before it matters.
    if left.is_empty() || exists(client, key).await? {
        return Ok(Vec::new());
    }
    let mut removed = Vec::new();
    for record in left {
        let ObjectMeta {
            name: Some(name),
            uid,
            resource_version,
            ..
        } = record.metadata
        else {
            continue;
        };
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid, resource_version }),
            ..DeleteParams::default()
        };
        match api.delete(&name, &params).await {
            Ok(_) => removed.push(name),
            Err(kube::Error::Api(answer)) if answer.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

/// Whether the shop is there again, or anything of it that may run a Patroni.
async fn exists(client: Client, key: &ShopKey) -> kube::Result<bool> {
    let shops: Api<ShopDeployment> = Api::namespaced(client.clone(), &key.namespace);
    Ok(shops.get_metadata_opt(&key.name).await?.is_some()
        || any::<Pod>(client.clone(), key).await?
        || any::<StatefulSet>(client, key).await?)
}

async fn any<K>(client: Client, key: &ShopKey) -> kube::Result<bool>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client, &key.namespace);
    let one = ListParams::default()
        .labels(&names::managed_selector(&key.name))
        .limit(1);
    Ok(!api.list_metadata(&one).await?.items.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::api::DynamicObject;
    use serde_json::json;

    fn demo() -> ShopKey {
        ShopKey {
            namespace: "default".into(),
            name: "demo".into(),
        }
    }

    fn holding(kind: &str, shop: &str) -> Cache {
        let object: DynamicObject = serde_json::from_value(json!({"metadata": {
            "name": "x", "namespace": "default", "uid": "u", "resourceVersion": "1",
            "labels": {"app.kubernetes.io/instance": shop},
        }}))
        .expect("an object");
        let cache = Cache::default();
        cache.put(index_of(kind).expect("in the table"), &object);
        cache
    }

    #[test]
    fn a_pod_or_a_set_of_the_shop_itself_may_hold_a_patroni() {
        assert!(still_runs(&holding("Pod", "demo"), &demo()));
        assert!(still_runs(&holding("StatefulSet", "demo"), &demo()));
        assert!(!still_runs(&holding("Secret", "demo"), &demo()));
        assert!(!still_runs(&holding("Pod", "another"), &demo()));
    }

    #[test]
    fn a_straggler_is_waited_for_and_then_the_shop_is_forgotten() {
        let memory = Memory::default();
        memory.of(&demo(), NO_SHOP).lock().pods = "some".into();
        assert_eq!(rest(&memory, &demo(), Duration::ZERO), Some(LINGERS));
        assert_eq!(memory.of(&demo(), NO_SHOP).lock().pods, "some");
        assert_eq!(rest(&memory, &demo(), LINGERS + Duration::from_millis(1)), None);
        assert_eq!(memory.of(&demo(), NO_SHOP).lock().pods, "");
    }
}
