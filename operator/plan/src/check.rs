//! The last look at a plan before anything is done. A finding means a bug in a component or in the operator, never a
//! mistake of the user: it stops everything and is printed.

use crate::names;
use crate::object::{Body, Object, Plan};
use crate::observed::{Observed, Seen};
use crate::task::Task;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {reason}")]
pub struct Finding {
    pub object: String,
    pub reason: String,
}

pub fn check(plan: &Plan, seen: &Observed) -> Result<(), Vec<Finding>> {
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    let generated = generated(plan);
    for object in &plan.objects {
        if !names.insert((object.kind(), object.name())) {
            findings.push(finding(object, "is planned twice"));
        }
        check_name(object, &mut findings);
        check_labels(object, &mut findings);
        if let Some(body) = object.applied() {
            check_set(object, body, seen, &mut findings);
            check_secret_refs(object, body, &generated, &mut findings);
        }
    }
    check_tasks(plan, &generated, seen, &mut findings);
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn finding(object: &Object, reason: impl Into<String>) -> Finding {
    Finding {
        object: format!("{} {}", object.kind(), object.name()),
        reason: reason.into(),
    }
}

fn check_name(object: &Object, findings: &mut Vec<Finding>) {
    let name = object.name();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(fits) {
        findings.push(finding(object, "its name is no DNS label of at most 63 characters"));
    }
}

fn check_labels(object: &Object, findings: &mut Vec<Finding>) {
    let has = |key: &str| match &object.body {
        Body::Applied(value) => value["metadata"]["labels"][key].is_string(),
        Body::Generated {
            name: _,
            labels,
            keys: _,
        } => labels.contains_key(key),
    };
    for key in [names::MANAGED_BY, names::INSTANCE].into_iter().filter(|key| !has(key)) {
        findings.push(finding(
            object,
            format!("lacks the label {key}: it would not be watched"),
        ));
    }
}

/// Fields of a StatefulSet that the API server refuses to change; and restarts are decided here, not by Kubernetes.
fn check_set(object: &Object, body: &Value, seen: &Observed, findings: &mut Vec<Finding>) {
    if body["kind"] != "StatefulSet" {
        return;
    }
    if body["spec"]["updateStrategy"]["type"] != "OnDelete" {
        findings.push(finding(object, "must use updateStrategy OnDelete"));
    }
    let Seen::Known(sets) = &seen.stateful_sets else { return };
    let Some(live) = sets
        .iter()
        .find(|set| set.metadata.name.as_deref() == Some(object.name()))
    else {
        return;
    };
    let Some(live) = &live.spec else { return };
    let fields = [
        ("serviceName", json!(live.service_name)),
        ("podManagementPolicy", json!(live.pod_management_policy)),
        ("selector", json!(live.selector)),
    ];
    for (field, old) in fields {
        let new = &body["spec"][field];
        if !old.is_null() && !new.is_null() && old != *new {
            findings.push(finding(
                object,
                format!("spec.{field} cannot be changed: {old} → {new}"),
            ));
        }
    }
}

/// The keys of each Secret the plan generates.
type Generated<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Every key of the shop's generated Secrets that a pod reads must be generated.
fn check_secret_refs(object: &Object, body: &Value, generated: &Generated<'_>, findings: &mut Vec<Finding>) {
    let mut refs = Vec::new();
    secret_refs(body, &mut refs);
    for (secret, key) in refs {
        if generated.get(secret).is_some_and(|keys| !keys.contains(key)) {
            findings.push(finding(
                object,
                format!("reads key {key} of Secret {secret}, which nobody generates"),
            ));
        }
    }
}

fn generated(plan: &Plan) -> Generated<'_> {
    let mut all = Generated::new();
    for object in &plan.objects {
        if let Body::Generated { name, labels: _, keys } = &object.body {
            all.entry(name)
                .or_default()
                .extend(keys.iter().map(|key| key.key.as_str()));
        }
    }
    all
}

fn secret_refs<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("secretKeyRef") {
                let text = |key: &str| reference[key].as_str().unwrap_or_default();
                found.push((text("name"), text("key")));
            }
            fields.values().for_each(|field| secret_refs(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| secret_refs(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check_tasks(plan: &Plan, generated: &Generated<'_>, seen: &Observed, findings: &mut Vec<Finding>) {
    let mut keys = BTreeSet::new();
    for task in &plan.tasks {
        let mut add = |reason: String| {
            findings.push(Finding {
                object: format!("task {}", task.key()),
                reason,
            })
        };
        if !keys.insert(task.key()) {
            add("is planned twice".into());
        }
        for reference in task.secrets() {
            if !generated
                .get(reference.secret.as_str())
                .is_some_and(|keys| keys.contains(reference.key.as_str()))
            {
                add(format!(
                    "reads key {} of Secret {}, which nobody generates",
                    reference.key, reference.secret
                ));
            }
        }
        if let Some(reason) = unfounded(task, seen) {
            add(reason);
        }
    }
}

/// A disturbing task rests on something known.
fn unfounded(task: &Task, seen: &Observed) -> Option<String> {
    if !task.disturbs() {
        return None;
    }
    let known = match task {
        Task::Switchover { shard, .. } => matches!(seen.postgres.get(shard), Some(Seen::Known(_))),
        Task::RedisFailover { .. } => seen.redis.known().is_some(),
        _ => true,
    };
    let founded = known && seen.pods.known().is_some();
    (!founded).then(|| "disturbs what is not known".into())
}

#[cfg(test)]
mod tests;
