//! Step 7: everything → status, events and gauges. What the status says is decided by the plan crate; here it is written,
//! and only when it differs from what is there.

use crate::cache::ShopKey;
use crate::context::{Context, FIELD_MANAGER};
use crate::events::{self, Told};
use crate::memory::Shared;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use shop_api::condition::{Condition, READY, VALID};
use shop_api::{ShopDeployment, ShopDeploymentStatus};
use shop_plan::Observed;
use shop_plan::report::{Outcome, report};
use std::time::Duration;

/// A status that could not be written is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// A shop that is blocked is looked at again even without an event.
const BLOCKED: Duration = Duration::from_secs(10);

/// Writes the status when it differs; returns when to try again.
pub async fn write(
    context: &Context,
    shop: &ShopDeployment,
    memory: &Shared,
    outcome: Outcome<'_>,
    seen: &Observed,
) -> Option<Duration> {
    if let Outcome::Blocked(why) = outcome {
        tracing::warn!(why, "blocked: nothing was touched");
    }
    let status = report(shop, outcome, seen, crate::VERSION, jiff::Timestamp::now());
    let (namespace, name) = (shop.metadata.namespace.as_deref()?, shop.metadata.name.as_deref()?);
    let ready = condition(&status, READY).is_some_and(|ready| ready.status == "True");
    context
        .metrics
        .shop_ready
        .with_label_values(&[namespace, name])
        .set(if ready { 1.0 } else { 0.0 });
    let blocked = matches!(outcome, Outcome::Blocked(_)).then_some(BLOCKED);
    if shop.status.as_ref() == Some(&status) {
        return blocked;
    }
    let api: Api<ShopDeployment> = Api::namespaced(context.client.clone(), namespace);
    // A merge patch: lists are replaced whole, and fields that are gone are named as null.
    let patch = json!({
        "metadata": {"uid": shop.metadata.uid},
        "status": cleared(shop.status.as_ref(), &status),
    });
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api.patch_status(name, &params, &Patch::Merge(&patch)).await {
        Ok(live) => {
            context.metrics.writes.with_label_values(&["ShopDeployment"]).inc();
            tell(context, shop, memory, &status).await;
            let key = ShopKey {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            context.cache.put_shop_if_known(&key, live);
            blocked
        }
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Some(AGAIN),
        Err(error) => {
            tracing::warn!(%error, "status not written");
            Some(AGAIN)
        }
    }
}

/// The new status as a merge patch over the old one.
fn cleared(before: Option<&ShopDeploymentStatus>, status: &ShopDeploymentStatus) -> serde_json::Value {
    let mut patch = serde_json::to_value(status).unwrap_or_default();
    let before = serde_json::to_value(before).unwrap_or_default();
    if let (Some(patch), Some(before)) = (patch.as_object_mut(), before.as_object()) {
        for key in before.keys() {
            patch.entry(key.clone()).or_insert(serde_json::Value::Null);
        }
    }
    patch
}

fn condition<'a>(status: &'a ShopDeploymentStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

/// An event for each turn of `Ready` and `Valid`.
async fn tell(context: &Context, shop: &ShopDeployment, memory: &Shared, status: &ShopDeploymentStatus) {
    for kind in [VALID, READY] {
        let Some(now) = condition(status, kind) else { continue };
        let before = shop.status.as_ref().and_then(|status| condition(status, kind));
        let turned = before.is_none_or(|before| before.status != now.status || before.reason != now.reason);
        if !turned || (kind == VALID && now.status == "True") {
            continue;
        }
        let was_ready = before.is_some_and(|before| before.status == "True");
        let warning = now.status == "False" && (kind == VALID || was_ready);
        let note = if now.message.is_empty() {
            &now.reason
        } else {
            &now.message
        };
        if now.status == "True" {
            // A shop that comes back says so each time, and what was told before may be told again.
            memory.lock().events.clear();
        }
        events::tell(
            context,
            shop,
            memory,
            Told {
                warning,
                action: "Reconcile",
                reason: &now.reason,
                note,
            },
        )
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_gone_is_named_in_the_patch() {
        let before = ShopDeploymentStatus {
            endpoint: Some("http://old".into()),
            ..Default::default()
        };
        let patch = cleared(Some(&before), &ShopDeploymentStatus::default());
        assert_eq!(patch["endpoint"], serde_json::Value::Null);
        assert!(patch.as_object().expect("a status").contains_key("endpoint"));
    }
}
