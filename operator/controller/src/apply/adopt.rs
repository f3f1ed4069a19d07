//! What Patroni makes for itself (its Endpoints, and the Service that keeps them): given the shop as owner, so that they
//! go when the shop goes, even while the operator is down; and what is left of a shop that is gone is swept.

use super::object::DIGEST_ANNOTATION;
use crate::cache::{Entry, ObjectKey, ShopKey};
use crate::context::Context;
use crate::kinds::kind_at;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use serde_json::json;
use shop_api::ShopDeployment;

/// Kinds Patroni may make.
const KINDS: [&str; 3] = ["Endpoints", "Service", "ConfigMap"];
/// Set by Kubernetes' own controller on Endpoints that belong to a Service with a selector.
const KUBERNETES_OWN: &str = "endpoints.kubernetes.io/managed-by";

/// Objects with our labels that nobody owns and that neither we nor Kubernetes made. Pure.
fn orphans(entries: Vec<(ObjectKey, Entry)>) -> Vec<(ObjectKey, Entry)> {
    entries
        .into_iter()
        .filter(|((kind, _), entry)| KINDS.contains(&kind_at(*kind).kind) && !entry.has_owners && !entry.deleting)
        .filter(|(_, entry)| {
            let metadata = &entry.value()["metadata"];
            metadata["labels"].get(KUBERNETES_OWN).is_none() && metadata["annotations"].get(DIGEST_ANNOTATION).is_none()
        })
        .collect()
}

/// Gives orphans of a living shop their owner.
pub async fn adopt(context: &Context, key: &ShopKey, shop: &ShopDeployment) -> Vec<String> {
    let mut adopted = Vec::new();
    for ((kind, name), entry) in orphans(context.cache.entries(key)) {
        let owner = json!({
            "apiVersion": "shop-operator.io/v1alpha1", "kind": "ShopDeployment",
            // Not its controller: what Patroni makes is never pruned.
            "name": key.name, "uid": shop.metadata.uid, "controller": false,
        });
        let patch = json!({"metadata": {"uid": entry.uid, "ownerReferences": [owner]}});
        let api: Api<DynamicObject> =
            Api::namespaced_with(context.client.clone(), &key.namespace, &kind_at(kind).resource());
        match api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await {
            Ok(live) => {
                context.cache.put(kind, &live);
                adopted.push(format!("{} {name} adopted", kind_at(kind).kind));
            }
            Err(error) => tracing::debug!(%key, kind = kind_at(kind).kind, name, %error, "not adopted yet"),
        }
    }
    adopted
}

/// Removes orphans of a shop that does not exist any more, once its last pod is gone (a stopping Patroni may make them
/// anew). Returns whether to look again soon.
pub async fn sweep(context: &Context, key: &ShopKey) -> bool {
    let entries = context.cache.entries(key);
    let left = orphans(entries.clone());
    if left.is_empty() {
        return false;
    }
    if entries.iter().any(|((kind, _), _)| kind_at(*kind).kind == "Pod") {
        return true;
    }
    for ((kind, name), entry) in left {
        let api: Api<DynamicObject> =
            Api::namespaced_with(context.client.clone(), &key.namespace, &kind_at(kind).resource());
        let preconditions = Preconditions {
            uid: Some(entry.uid),
            resource_version: None,
        };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        match api.delete(&name, &params).await {
            Ok(_) => tracing::info!(%key, kind = kind_at(kind).kind, name, "left over by a deleted shop: removed"),
            Err(error) => tracing::debug!(%key, name, %error, "not removed yet"),
        }
    }
    true
}
