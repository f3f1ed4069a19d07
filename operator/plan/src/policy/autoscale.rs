//! Who owns the number of pods. Where a HorizontalPodAutoscaler is planned, its Deployment carries no `replicas`: two
//! owners would undo each other's work for ever.

use crate::object::{Body, Object};
use serde_json::Value;

/// Takes `spec.replicas` out of every Deployment that a planned autoscaler targets.
pub fn release_replicas(objects: &mut [Object]) {
    let targets: Vec<String> = objects
        .iter()
        .filter_map(Object::applied)
        .filter(|object| object["kind"] == "HorizontalPodAutoscaler")
        .filter_map(|object| object["spec"]["scaleTargetRef"]["name"].as_str().map(str::to_owned))
        .collect();
    for object in objects {
        let Body::Applied(value) = &mut object.body else {
            continue;
        };
        let targeted = value["metadata"]["name"]
            .as_str()
            .is_some_and(|name| targets.iter().any(|target| target == name));
        if value["kind"] == "Deployment"
            && targeted
            && let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.remove("replicas");
        }
    }
}
