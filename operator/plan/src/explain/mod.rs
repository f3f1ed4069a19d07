//! What a plan would change, for people and for machines, before anything is done. Comes in: the plan and the objects as
//! they are (of the cluster, or of another plan). Goes out: which objects change, in which fields, and which pods restart
//! and why. Only fields the plan writes are compared; what others added to an object is not the operator's.

mod difference;
mod print;

use crate::names;
use crate::object::{Object, Plan};
use crate::shop::ValidatedShop;
use crate::topology::connections;
use difference::{Field, differences};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    pub changes: Vec<Change>,
    pub unchanged: usize,
    /// One per database.
    pub connections: Vec<String>,
}

/// Objects of one kind and component that change alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub verb: Verb,
    pub kind: String,
    pub component: String,
    pub names: Vec<String>,
    pub fields: Vec<Field>,
    /// Which pods restart, how and why; absent when none does.
    pub restarts: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Create,
    Change,
    Delete,
}

pub fn explain(shop: &ValidatedShop, plan: &Plan, before: &[Value]) -> Explanation {
    let live: BTreeMap<(&str, &str), &Value> = before.iter().map(|object| (key(object), object)).collect();
    let mut explanation = Explanation::default();
    let mut restarted: Vec<u64> = Vec::new();
    for object in &plan.objects {
        let found = live.get(&(object.kind(), object.name()));
        match (object.applied(), found) {
            (None, Some(_)) => explanation.unchanged += 1,
            (_, None) => merge(
                &mut explanation.changes,
                &mut restarted,
                change(object, Verb::Create, vec![]),
                0,
            ),
            (Some(body), Some(found)) => {
                let (fields, pods) = compare(body, found);
                if fields.is_empty() {
                    explanation.unchanged += 1;
                } else {
                    merge(
                        &mut explanation.changes,
                        &mut restarted,
                        change(object, Verb::Change, fields),
                        pods,
                    );
                }
            }
        }
    }
    for gone in before.iter().filter(|object| is_gone(object, plan)) {
        merge(&mut explanation.changes, &mut restarted, deletion(gone), 0);
    }
    for (change, pods) in explanation.changes.iter_mut().zip(restarted) {
        change.restarts = restarts(change, pods);
    }
    explanation.connections = connections::budgets(shop).iter().map(budget).collect();
    explanation
}

fn key(object: &Value) -> (&str, &str) {
    (
        object["kind"].as_str().unwrap_or_default(),
        object["metadata"]["name"].as_str().unwrap_or_default(),
    )
}

fn change(object: &Object, verb: Verb, fields: Vec<Field>) -> Change {
    let names = vec![object.name().to_owned()];
    Change {
        verb,
        kind: object.kind().into(),
        component: object.component.0.clone(),
        names,
        fields,
        restarts: None,
    }
}

fn deletion(object: &Value) -> Change {
    let (kind, name) = key(object);
    let component = object["metadata"]["annotations"][names::COMPONENT_ANNOTATION]
        .as_str()
        .unwrap_or_default();
    let names = vec![name.to_owned()];
    Change {
        verb: Verb::Delete,
        kind: kind.into(),
        component: component.into(),
        names,
        fields: vec![],
        restarts: None,
    }
}

/// Fields that differ, and how many pods restart for it.
fn compare(body: &Value, found: &Value) -> (Vec<Field>, u64) {
    let mut fields = differences(body, found);
    let digest =
        |object: &Value| object["spec"]["template"]["metadata"]["annotations"][names::TEMPLATE_ANNOTATION].clone();
    let replaced = !digest(body).is_null() && digest(body) != digest(found);
    let is_digest = |field: &Field| field.path.ends_with(names::TEMPLATE_ANNOTATION);
    if fields.iter().any(|field| !is_digest(field)) {
        fields.retain(|field| !is_digest(field));
    }
    let pods = found["spec"]["replicas"]
        .as_u64()
        .or(body["spec"]["replicas"].as_u64())
        .unwrap_or(1);
    (fields, if replaced { pods } else { 0 })
}

/// Alike: the same kind and component, and the same fields with the same values.
fn merge(changes: &mut Vec<Change>, restarted: &mut Vec<u64>, change: Change, pods: u64) {
    let alike = |other: &Change| {
        (other.verb, &other.kind, &other.component, &other.fields)
            == (change.verb, &change.kind, &change.component, &change.fields)
    };
    match changes.iter().position(alike) {
        Some(at) => {
            changes[at].names.extend(change.names);
            restarted[at] += pods;
        }
        None => {
            changes.push(change);
            restarted.push(pods);
        }
    }
}

fn is_gone(object: &Value, plan: &Plan) -> bool {
    let (kind, name) = key(object);
    let managed = object["metadata"]["labels"][names::MANAGED_BY] == names::OPERATOR;
    let component = object["metadata"]["annotations"][names::COMPONENT_ANNOTATION].as_str();
    let kept = component.is_none_or(|component| plan.keep.iter().any(|keep| keep.0 == component));
    let planned = plan
        .objects
        .iter()
        .any(|object| (object.kind(), object.name()) == (kind, name));
    managed && !kept && !planned && !matches!(kind, "Pod" | "PersistentVolumeClaim")
}

fn restarts(change: &Change, pods: u64) -> Option<String> {
    let each = if pods == 1 {
        "1 pod".to_owned()
    } else {
        format!("{pods} pods, one at a time")
    };
    let sets = u64::try_from(change.names.len()).unwrap_or(u64::MAX);
    match change.kind.as_str() {
        _ if pods == 0 => None,
        "Deployment" => Some(format!("replaces {pods} pods gradually, new ones first")),
        _ if pods <= sets => Some(format!(
            "restarts {each}, after the new image was tried beside it (away for some seconds)"
        )),
        _ if change.component.starts_with("postgres/") => Some(format!(
            "restarts {each}: replicas first, then a switchover per shard (writes pause about 2 s each)"
        )),
        _ if change.component == "redis" => {
            Some(format!("restarts {each}: replicas first, then a failover per primary"))
        }
        _ => Some(format!("restarts {each}, only while all others run")),
    }
}

fn budget(budget: &connections::Budget) -> String {
    let connections::Budget {
        database,
        clients,
        clients_accepted,
        servers,
        max_connections,
    } = budget;
    format!(
        "{database}: {servers} of {max_connections} per shard, {clients} of {clients_accepted} clients at the pooler"
    )
}

#[cfg(test)]
mod tests;
