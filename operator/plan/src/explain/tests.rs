use super::*;
use crate::fixtures;
use crate::object::{Body, ComponentId, Wave};
use serde_json::json;

fn set(name: &str, memory: &str, digest: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "labels": {names::MANAGED_BY: names::OPERATOR}, "annotations": {names::COMPONENT_ANNOTATION: "postgres/orders"}},
        "spec": {"replicas": 2, "template": {
            "metadata": {"annotations": {names::TEMPLATE_ANNOTATION: digest}},
            "spec": {"containers": [{"name": "postgres", "resources": {"limits": {"memory": memory}}}]},
        }},
    })
}

fn plan(objects: Vec<Value>) -> Plan {
    let object = |body| Object {
        component: ComponentId::from("postgres/orders"),
        wave: Wave::Data,
        body: Body::Applied(body),
    };
    Plan {
        objects: objects.into_iter().map(object).collect(),
        ..Plan::default()
    }
}

#[test]
fn like_changes_are_told_once_with_what_restarts() {
    let wanted = plan(vec![set("demo-orders-0", "2Gi", "b"), set("demo-orders-1", "2Gi", "b")]);
    let before = [set("demo-orders-0", "1Gi", "a"), set("demo-orders-1", "1Gi", "a")];
    insta::assert_snapshot!(explain(&fixtures::shop(), &wanted, &before).to_string(), @r"
    ~ StatefulSet demo-orders-0, demo-orders-1
        containers[postgres].resources.limits.memory: 1Gi → 2Gi
        restarts 4 pods, one at a time: replicas first, then a switchover per shard (writes pause about 2 s each)
    = 0 objects unchanged
    connections: catalog: 60 of 100 per shard, 75 of 2000 clients at the pooler · orders: 60 of 100 per shard, 60 of 2000 clients at the pooler · payments: 60 of 100 per shard, 35 of 2000 clients at the pooler
    ");
}

#[test]
fn a_quantity_written_otherwise_and_fields_of_others_are_no_change() {
    let mut live = set("demo-orders-0", "2048Mi", "a");
    live["spec"]["podManagementPolicy"] = json!("OrderedReady");
    let explanation = explain(
        &fixtures::shop(),
        &plan(vec![set("demo-orders-0", "2Gi", "a")]),
        &[live],
    );
    assert_eq!((explanation.changes.len(), explanation.unchanged), (0, 1));
}

#[test]
fn what_is_no_longer_planned_is_deleted_unless_kept() {
    let mut wanted = plan(vec![]);
    let before = [set("demo-orders-0", "2Gi", "a")];
    assert_eq!(
        explain(&fixtures::shop(), &wanted, &before).changes[0].verb,
        Verb::Delete
    );
    wanted.keep.push(ComponentId::from("postgres/orders"));
    assert!(explain(&fixtures::shop(), &wanted, &before).changes.is_empty());
}

#[test]
fn long_values_are_told_by_what_differs_in_them() {
    let object = |env: Value, json: &str, text: &str| {
        json!({
            "metadata": {},
            "spec": {"env": env},
            "data": {"patroni.yml": json, "rabbitmq.conf": text},
        })
    };
    let found = object(
        json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]),
        r#"{"ttl": 20, "parameters": {"work_mem": "4MB", "jit": "off"}}"#,
        "a = 1\nb = 2\nc = 3\n",
    );
    let wanted = object(
        json!([{"name": "D", "valueFrom": {"x": 1}}, {"name": "C", "value": "4"}, {"name": "A", "value": "1"}]),
        r#"{"ttl": 20, "parameters": {"work_mem": "8MB", "jit": "off"}}"#,
        "a = 1\nc = 5\n",
    );
    let told: Vec<String> = difference::differences(&wanted, &found)
        .iter()
        .map(|field| format!("{}: {} → {}", field.label(), field.from, field.to))
        .collect();
    assert_eq!(
        told,
        [
            r#"env[D]: nothing → {"name":"D","valueFrom":{"x":1}}"#,
            "env[C].value: 3 → 4",
            "env[B]: 2 → nothing",
            "data.patroni.yml.parameters.work_mem: 4MB → 8MB",
            "data.rabbitmq.conf: b = 2 → c = 5",
            "data.rabbitmq.conf: c = 3 → nothing",
        ]
    );
    assert!(difference::differences(&wanted, &wanted).is_empty());
}
