//! The generated Secret: made once, later only completed. A value that exists is never changed; a Secret somebody deleted
//! comes back with the values the process still remembers, because the datastores keep using them. Like the claims it has no owner
//! and outlives its shop: kept data without its passwords could never be opened again.

use super::object::api;
use super::{ApplyError, Class, Target, generate, refused};
use crate::context::FIELD_MANAGER;
use crate::kinds::index_of;
use crate::observe::secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::json;
use shop_plan::names;
use shop_plan::object::{ComponentId, GeneratedKey};
use std::collections::BTreeMap;

const KIND: &str = "Secret";

pub async fn ensure(
    target: &Target<'_>,
    component: &ComponentId,
    name: &str,
    labels: &BTreeMap<String, String>,
    keys: &[GeneratedKey],
) -> Result<Option<String>, ApplyError> {
    let kind = index_of(KIND).expect("Secret is in the table of kinds");
    let fail = |error: &kube::Error| refused(component, KIND, name, error);
    let entry = target.context.cache.entry(target.key, kind, name);
    if entry.is_some() {
        secrets::refresh(target.context, target.key, target.memory, name)
            .await
            .map_err(|error| fail(&error))?;
    }
    let existing = target
        .memory
        .lock()
        .secrets
        .get(name)
        .map(|known| known.values.clone())
        .unwrap_or_default();
    let missing = generate::missing(keys, &existing).map_err(|error| ApplyError {
        component: component.clone(),
        kind: KIND.to_owned(),
        name: name.to_owned(),
        class: Class::Invalid,
        why: error.to_string(),
    })?;
    if entry.is_some() && missing.is_empty() {
        return Ok(None);
    }
    let live = match &entry {
        None => {
            create(
                target,
                component,
                name,
                labels,
                existing.into_iter().chain(missing).collect(),
            )
            .await
        }
        Some(entry) => {
            let patch = json!({"metadata": {"resourceVersion": entry.resource_version}, "data": encoded(&missing)});
            api(target, kind)
                .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
                .await
        }
    };
    let live = live.map_err(|error| fail(&error))?;
    secrets::remember(target.memory, name, &live);
    target.context.cache.put(kind, &live);
    target.context.metrics.writes.with_label_values(&[KIND]).inc();
    Ok(Some(format!("{KIND} {name}")))
}

async fn create(
    target: &Target<'_>,
    component: &ComponentId,
    name: &str,
    labels: &BTreeMap<String, String>,
    values: BTreeMap<String, String>,
) -> kube::Result<DynamicObject> {
    let kind = index_of(KIND).expect("Secret is in the table of kinds");
    let body = json!({
        "apiVersion": "v1",
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": target.key.namespace,
            "labels": labels,
            "annotations": {names::COMPONENT_ANNOTATION: component.0},
        },
        "type": "Opaque",
        "data": encoded(&values),
    });
    let object: DynamicObject = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    match api(target, kind).create(&params, &object).await {
        // It was made a moment ago, before our watch could tell: take what is there.
        Err(kube::Error::Api(status)) if status.is_already_exists() => api(target, kind).get(name).await,
        answer => answer,
    }
}

fn encoded(values: &BTreeMap<String, String>) -> BTreeMap<&String, String> {
    values
        .iter()
        .map(|(key, value)| (key, STANDARD.encode(value)))
        .collect()
}
