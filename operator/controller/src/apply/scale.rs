//! Hands the number of pods over to an autoscaler. A field that is left out of what is applied falls back to its default
//! unless somebody else holds it too: the service would shrink to one pod until the autoscaler looks again. So the
//! present number is applied once more under another name, which gives way to the autoscaler.

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

const MANAGER: &str = "shop-operator-scale";

/// Before `body` is applied where `live` is.
pub async fn hand_over(api: &Api<DynamicObject>, live: &Value, body: &Value) -> kube::Result<()> {
    let Some(held) = held(live, body) else { return Ok(()) };
    let name = body["metadata"]["name"].as_str().unwrap_or_default();
    match api
        .patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&held))
        .await
    {
        // The autoscaler has set another number meanwhile: it holds the field.
        Err(kube::Error::Api(status)) if status.is_conflict() => Ok(()),
        other => other.map(drop),
    }
}

/// A Deployment that runs without saying how many pods it wants. From none an autoscaler would never start.
fn held(live: &Value, body: &Value) -> Option<Value> {
    let left_out = body["kind"] == "Deployment" && body["spec"].get("replicas").is_none();
    let count = live["spec"]["replicas"]
        .as_i64()
        .filter(|count| left_out && *count > 0)?;
    Some(json!({
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": {"name": body["metadata"]["name"]},
        "spec": {"replicas": count},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_number_is_held_when_the_operator_lets_go_of_it() {
        let deployment = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec});
        let (ten, none) = (deployment(json!({"replicas": 10})), deployment(json!({"replicas": 0})));
        let scaled = deployment(json!({}));
        assert_eq!(held(&ten, &scaled), Some(ten.clone()));
        assert_eq!(held(&ten, &ten), None, "the operator goes on holding it");
        assert_eq!(held(&none, &scaled), None, "a suspended service starts again");
        assert_eq!(held(&Value::Null, &scaled), None, "there is nothing yet");
    }
}
