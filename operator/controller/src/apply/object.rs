//! One object: skip it when it is there as wanted or is not ours, else apply it. In comes a whole object, out goes what
//! was written.

use super::compare::contains;
use super::foreign::additions;
use super::whose::stranger;
use super::{ApplyError, Class, Target, refused, scale};
use crate::context::FIELD_MANAGER;
use crate::kinds::{KindIndex, index_of, kind_at};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams};
use serde_json::{Value, json};
use shop_plan::digest::digest_of_json;
use shop_plan::object::ComponentId;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Annotation: digest of what was applied, so that fields we no longer want are noticed after a restart too.
pub const DIGEST_ANNOTATION: &str = "shop-operator.io/applied";

pub async fn apply(target: &Target<'_>, component: &ComponentId, body: &Value) -> Result<Option<String>, ApplyError> {
    let kind_name = body["kind"].as_str().unwrap_or_default();
    let name = body["metadata"]["name"].as_str().unwrap_or_default();
    let error = |why: &str| ApplyError {
        component: component.clone(),
        kind: kind_name.to_owned(),
        name: name.to_owned(),
        class: Class::Invalid,
        why: why.to_owned(),
    };
    let kind = index_of(kind_name).ok_or_else(|| error("this kind is not in the operator's table of kinds"))?;
    let fingerprint = fingerprint(body);
    let Some(digest) = stale(target, kind, name, body, fingerprint) else {
        return Ok(None);
    };
    let api = api(target, kind);
    let there = there(target, &api, kind, name)
        .await
        .map_err(|answer| refused(component, kind_name, name, &answer))?;
    let uid = target.shop.metadata.uid.as_deref().unwrap_or_default();
    if let Some(owner) = there.and_then(|meta| stranger(&meta, &target.key.name, uid)) {
        return Err(error(&format!(
            "exists already and belongs to {owner}; it is left alone: remove it, or rename the service of shop {} that \
             takes its name",
            target.key.name
        )));
    }
    if let Some(live) = target.context.cache.entry(target.key, kind, name) {
        let handed_over = scale::hand_over(&api, &live.value(), body).await;
        handed_over.map_err(|answer| refused(component, kind_name, name, &answer))?;
    }
    let wanted = stamped(body, &target.key.namespace, &digest);
    let force = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch(name, &force, &Patch::Apply(&wanted)).await {
        Ok(live) => {
            let live = without_additions(&api, name, live, body).await;
            let version = live.metadata.resource_version.clone().unwrap_or_default();
            target.context.cache.put(kind, &live);
            target
                .memory
                .lock()
                .applied
                .insert((kind, name.to_owned()), (fingerprint, version));
            target.context.metrics.writes.with_label_values(&[kind_name]).inc();
            Ok(Some(format!("{kind_name} {name}")))
        }
        Err(kube::Error::Api(status)) if status.is_invalid() && kind_name == "Pod" => {
            // A pod cannot be changed; the next pass makes it anew.
            let _ = api.delete(name, &DeleteParams::default()).await;
            Err(ApplyError {
                class: Class::Transient,
                ..error("is being replaced")
            })
        }
        Err(answer) => Err(refused(component, kind_name, name, &answer)),
    }
}

/// The metadata of what bears the name now. Asks only about what the watch does not show.
async fn there(
    target: &Target<'_>,
    api: &Api<DynamicObject>,
    kind: KindIndex,
    name: &str,
) -> kube::Result<Option<ObjectMeta>> {
    let cached = target.context.cache.entry(target.key, kind, name);
    match cached.and_then(|entry| entry.meta()) {
        Some(meta) => Ok(Some(meta)),
        None => Ok(api.get_metadata_opt(name).await?.map(|found| found.metadata)),
    }
}

/// Takes out what others added to our lists; when that fails the next pass tries again.
async fn without_additions(api: &Api<DynamicObject>, name: &str, live: DynamicObject, body: &Value) -> DynamicObject {
    let Ok(value) = serde_json::to_value(&live) else {
        return live;
    };
    let version = &value["metadata"]["resourceVersion"];
    let mut steps = vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
    steps.extend(
        additions(&value, body)
            .into_iter()
            .map(|path| json!({"op": "remove", "path": path})),
    );
    if steps.len() == 1 {
        return live;
    }
    let Ok(patch) = serde_json::from_value(Value::Array(steps)) else {
        return live;
    };
    match api
        .patch(name, &PatchParams::default(), &Patch::Json::<()>(patch))
        .await
    {
        Ok(cleaned) => {
            tracing::info!(name, "took out what was added by hand");
            cleaned
        }
        Err(error) => {
            tracing::warn!(name, %error, "what was added by hand stays for now");
            live
        }
    }
}

/// The API of one kind in the shop's namespace.
pub fn api(target: &Target<'_>, kind: KindIndex) -> Api<DynamicObject> {
    Api::namespaced_with(
        target.context.client.clone(),
        &target.key.namespace,
        &kind_at(kind).resource(),
    )
}

/// `None` when there is nothing to do: the same was applied before and nobody touched the object since, or it holds all
/// that is wanted. Else the digest to stamp on it.
fn stale(target: &Target<'_>, kind: KindIndex, name: &str, body: &Value, fingerprint: u64) -> Option<String> {
    let Some(entry) = target.context.cache.entry(target.key, kind, name) else {
        return Some(digest_of_json(body));
    };
    if entry.deleting {
        // Applying now would only change something that is going away; its end wakes us again.
        return None;
    }
    let object = (kind, name.to_owned());
    let known = |(applied, version): &(u64, String)| *applied == fingerprint && *version == entry.resource_version;
    if target.memory.lock().applied.get(&object).is_some_and(known) {
        return None;
    }
    let digest = digest_of_json(body);
    let live = entry.value();
    let same_digest = live["metadata"]["annotations"][DIGEST_ANNOTATION] == *digest;
    if !same_digest || !contains(&without_type(&live), &without_type(body)) {
        tracing::debug!(
            kind = kind_at(kind).kind,
            name,
            same_digest,
            "differs from what is wanted"
        );
        return Some(digest);
    }
    target
        .memory
        .lock()
        .applied
        .insert(object, (fingerprint, entry.resource_version));
    None
}

/// Cheap, and only for comparisons within this process.
fn fingerprint(body: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

/// Watch events come without `kind` and `apiVersion`.
fn without_type(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
        fields.remove("status");
    }
    value
}

fn stamped(body: &Value, namespace: &str, digest: &str) -> Value {
    let mut wanted = body.clone();
    wanted["metadata"]["namespace"] = namespace.into();
    wanted["metadata"]["annotations"][DIGEST_ANNOTATION] = digest.into();
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_keeps_other_annotations() {
        let body = json!({"kind": "Service", "metadata": {"name": "demo", "annotations": {"a": "b"}}});
        let wanted = stamped(&body, "default", "d1");
        assert_eq!(
            wanted["metadata"]["annotations"],
            json!({"a": "b", DIGEST_ANNOTATION: "d1"})
        );
        assert_eq!(wanted["metadata"]["namespace"], "default");
    }
}
