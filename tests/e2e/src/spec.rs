//! Specs as plain JSON: the smallest shop, merges into it, and documents made of any spec, even one that is nonsense.

use kube::api::DynamicObject;
use serde_json::{Value, json};

/// A ShopDeployment document from any spec, even one that is nonsense.
pub fn document(name: &str, spec: Value) -> DynamicObject {
    let whole = json!({
        "apiVersion": "shop-operator.io/v1alpha1", "kind": "ShopDeployment", "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(whole).expect("a document")
}

/// The smallest shop: no redundancy anywhere. Without its `services` it is one process, which starts much sooner.
pub fn tiny_spec() -> Value {
    let one = json!({"replicas": 1});
    json!({
        "audience": {"dailyActiveUsers": "10k"},
        "deletionProtection": false,
        "postgres": {
            "catalog": {"replicas": 0, "storage": {"size": "1Gi"}},
            "orders": {"shards": 1, "replicas": 0, "storage": {"size": "1Gi"}},
            "payments": {"replicas": 0, "storage": {"size": "1Gi"}},
        },
        "redis": {"shards": 1, "replicas": 0},
        "rabbitmq": {"nodes": 1},
        "gateway": {"replicas": 1},
        "services": {"user": one, "product": one, "order": one},
    })
}

/// RFC 7396, the merge `kubectl patch --type=merge` does.
pub fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, value) in changes {
                if value.is_null() {
                    fields.remove(&key);
                } else {
                    merge(fields.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, change) => *into = change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_adds_replaces_and_removes() {
        let mut spec = json!({"a": {"b": 1, "c": 2}, "d": 3});
        merge(&mut spec, json!({"a": {"b": null, "e": 4}, "d": 5}));
        assert_eq!(spec, json!({"a": {"c": 2, "e": 4}, "d": 5}));
    }
}
