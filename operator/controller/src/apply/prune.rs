//! What we made and no longer want. Deletes only what this very shop controls, only kinds we make, only when the watches
//! are complete, and nothing of a component the plan says to keep. Claims are never deleted.

use super::{ApplyError, Target, object, refused};
use crate::cache::{Entry, ObjectKey};
use crate::kinds::{Use, index_of, kind_at};
use kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use shop_plan::names;
use shop_plan::object::{Body, ComponentId, Object, Plan};
use std::collections::HashSet;

/// Objects to delete, the last wave first. Pure.
fn surplus(plan: &Plan, owner: &str, entries: Vec<(ObjectKey, Entry)>) -> Vec<(ObjectKey, Entry, ComponentId)> {
    let wanted: HashSet<ObjectKey> = plan.objects.iter().filter_map(key_of).collect();
    let mut surplus: Vec<_> = entries
        .into_iter()
        .filter(|(key, entry)| {
            kind_at(key.0).used == Use::Made
                && kind_at(key.0).kind != "PersistentVolumeClaim"
                && entry.owner.as_deref() == Some(owner)
                && !entry.deleting
                && !wanted.contains(key)
        })
        .map(|(key, entry)| {
            let component = component_of(&entry);
            (key, entry, component)
        })
        .filter(|(_, _, component)| !plan.keep.contains(component))
        .collect();
    surplus.sort_by(|one, other| other.0.cmp(&one.0));
    surplus
}

fn key_of(object: &Object) -> Option<ObjectKey> {
    match &object.body {
        Body::Applied(body) => Some((
            index_of(body["kind"].as_str()?)?,
            body["metadata"]["name"].as_str()?.to_owned(),
        )),
        Body::Generated {
            name,
            labels: _,
            keys: _,
        } => Some((index_of("Secret")?, name.clone())),
    }
}

fn component_of(entry: &Entry) -> ComponentId {
    let value = entry.value();
    ComponentId(
        value["metadata"]["annotations"][names::COMPONENT_ANNOTATION]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// Deletes the surplus; the uid as precondition, so that never a namesake goes.
pub async fn prune(target: &Target<'_>, plan: &Plan) -> (Vec<String>, Vec<ApplyError>) {
    let owner = target.shop.metadata.uid.as_deref().unwrap_or_default();
    if owner.is_empty() || !target.context.cache.complete() {
        return (Vec::new(), Vec::new());
    }
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for ((kind, name), entry, component) in surplus(plan, owner, target.context.cache.entries(target.key)) {
        let preconditions = Preconditions {
            uid: Some(entry.uid),
            resource_version: None,
        };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match object::api(target, kind).delete(&name, &params).await {
            Ok(_) => {
                target
                    .context
                    .metrics
                    .writes
                    .with_label_values(&[kind_at(kind).kind])
                    .inc();
                deleted.push(format!("{} {name} deleted", kind_at(kind).kind));
            }
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {}
            Err(error) => failed.push(refused(&component, kind_at(kind).kind, &name, &error)),
        }
    }
    (deleted, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Cache, ShopKey};
    use crate::kinds::KindIndex;
    use kube::api::DynamicObject;
    use serde_json::json;

    fn cache(kind: &str, name: &str, owner: Option<&str>) -> (Cache, ShopKey) {
        let owners = owner.map(|uid| json!([{"apiVersion": "v", "kind": "ShopDeployment", "name": "demo", "uid": uid, "controller": true}]));
        let object: DynamicObject = serde_json::from_value(json!({"metadata": {
            "name": name, "namespace": "default", "uid": "u", "resourceVersion": "1", "ownerReferences": owners,
            "labels": {"app.kubernetes.io/instance": "demo"},
            "annotations": {"shop-operator.io/component": "service/old"},
        }}))
        .expect("an object");
        let cache = Cache::default();
        let kind: KindIndex = index_of(kind).expect("in the table");
        cache.put(kind, &object);
        (
            cache,
            ShopKey {
                namespace: "default".into(),
                name: "demo".into(),
            },
        )
    }

    fn names(plan: &Plan, (cache, key): (Cache, ShopKey)) -> Vec<String> {
        surplus(plan, "shop", cache.entries(&key))
            .into_iter()
            .map(|((_, name), _, _)| name)
            .collect()
    }

    #[test]
    fn what_we_made_and_no_longer_want_goes() {
        assert_eq!(
            names(&Plan::default(), cache("Deployment", "demo-old", Some("shop"))),
            ["demo-old"]
        );
    }

    #[test]
    fn what_belongs_to_nobody_or_to_others_stays() {
        assert!(names(&Plan::default(), cache("Deployment", "demo-old", None)).is_empty());
        assert!(names(&Plan::default(), cache("Deployment", "demo-old", Some("another"))).is_empty());
    }

    #[test]
    fn claims_and_kept_components_stay() {
        assert!(names(&Plan::default(), cache("PersistentVolumeClaim", "data-0", Some("shop"))).is_empty());
        let keep = Plan {
            keep: vec![ComponentId("service/old".into())],
            ..Plan::default()
        };
        assert!(names(&keep, cache("Deployment", "demo-old", Some("shop"))).is_empty());
    }
}
