//! A pod that tries a new template before a datastore's only pod is restarted with it: the image must be there and start,
//! and what the new pod asks for beyond the old one must fit on the same node. A failure here costs nothing.

use super::rollout::Set;
use crate::names;
use crate::object::{Body, Object, Wave};
use crate::observed::Observed;
use crate::pod;
use crate::quantity;
use crate::shop::{Bytes, ValidatedShop};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

pub enum Rehearsal {
    Pending,
    Passed,
    Failed(String),
}

/// The pod to have, and what it has shown so far.
pub(super) fn rehearse(shop: &ValidatedShop, set: &Set, only: &Pod, seen: &Observed) -> (Object, Rehearsal) {
    let name = names::rehearsal(&set.rollout.stateful_set, set.digest());
    let found = seen
        .pods
        .known()
        .and_then(|pods| pods.iter().find(|candidate| pod::name(candidate) == name));
    let outcome = found.map_or(Rehearsal::Pending, outcome);
    let body = body(shop, set, only, &name);
    (
        Object {
            component: set.object.component.clone(),
            wave: Wave::Work,
            body: Body::Applied(body),
        },
        outcome,
    )
}

fn outcome(found: &Pod) -> Rehearsal {
    let phase = found.status.as_ref().and_then(|status| status.phase.as_deref());
    match (phase, pod::problem_of(found)) {
        (Some("Succeeded"), _) => Rehearsal::Passed,
        (_, Some(problem)) => Rehearsal::Failed(problem),
        (_, None) => Rehearsal::Pending,
    }
}

fn body(shop: &ValidatedShop, set: &Set, only: &Pod, name: &str) -> Value {
    let template = &set.body["spec"]["template"]["spec"];
    let container = &template["containers"][0];
    let mut spec = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": template["securityContext"],
        "nodeSelector": {"kubernetes.io/hostname": pod::node(only)},
        "containers": [{
            "name": "rehearsal",
            "image": container["image"],
            "command": set.rollout.rehearse,
            "securityContext": container["securityContext"],
            "resources": {"requests": increase(only, container)},
        }],
    });
    for kept in ["tolerations", "imagePullSecrets"] {
        if template[kept].is_array() {
            spec[kept] = template[kept].clone();
        }
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": names::labels(&shop.name, "rehearsal", &set.rollout.stateful_set)},
        "spec": spec,
    })
}

/// What the new container requests beyond the running one: only that much must still be free on the node.
fn increase(only: &Pod, container: &Value) -> Value {
    let running = only
        .spec
        .as_ref()
        .and_then(|spec| spec.containers.first()?.resources.as_ref()?.requests.as_ref());
    let old = |name: &str| {
        running
            .and_then(|requests| requests.get(name))
            .map_or("0", |quantity| quantity.0.as_str())
    };
    let new = |name: &str| container["resources"]["requests"][name].as_str().unwrap_or("0");
    let cpu = |text: &str| quantity::millicores(text).unwrap_or_default();
    let memory = |text: &str| quantity::bytes(text).unwrap_or_default().0;
    json!({
        "cpu": format!("{}m", cpu(new("cpu")).saturating_sub(cpu(old("cpu")))),
        "memory": Bytes(memory(new("memory")).saturating_sub(memory(old("memory")))).to_string(),
    })
}
