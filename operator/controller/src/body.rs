//! What is kept of an object: its body for comparing, and for reading a slimmer one without what no decision looks at (a
//! pod's volumes and environment, a workload's pod template). Pure. Keeps the memory small and a pass short.

use crate::kinds::{Keep, Kind};
use kube::api::{DynamicObject, ObjectMeta};
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// For comparing with what is wanted.
    pub whole: Arc<[u8]>,
    /// For reading; the same bytes when nothing can be left out.
    pub slim: Arc<[u8]>,
}

/// `ours`: a shop controls the object itself, so it is compared; a pod of a StatefulSet never is.
pub fn body_of(kind: &Kind, object: &DynamicObject, ours: bool) -> Body {
    let mut meta = object.metadata.clone();
    meta.managed_fields = None;
    if kind.keep == Keep::Metadata {
        let ours = |(key, _): &(String, String)| key.starts_with("shop-operator.io/");
        let annotations = meta.annotations.map(|all| all.into_iter().filter(ours).collect());
        let whole = bytes(&ObjectMeta { annotations, ..meta }, &Value::Null);
        return Body {
            slim: whole.clone(),
            whole,
        };
    }
    let slim = slimmed(kind.kind, &object.data).map(|data| bytes(&meta, &data));
    match slim {
        Some(slim) if kind.kind == "Pod" && !ours => Body {
            whole: slim.clone(),
            slim,
        },
        Some(slim) => Body {
            whole: bytes(&meta, &object.data),
            slim,
        },
        None => {
            let whole = bytes(&meta, &object.data);
            Body {
                slim: whole.clone(),
                whole,
            }
        }
    }
}

/// Data are plain maps; were they ever not, the empty body counts as "differs".
fn bytes(meta: &ObjectMeta, data: &Value) -> Arc<[u8]> {
    let object = DynamicObject {
        types: None,
        metadata: meta.clone(),
        data: data.clone(),
    };
    let written = match data {
        Value::Null => serde_json::to_vec(&json!({ "metadata": meta })),
        _ => serde_json::to_vec(&object),
    };
    written.unwrap_or_default().into()
}

/// `None` for a kind that is read whole.
fn slimmed(kind: &str, data: &Value) -> Option<Value> {
    match kind {
        "Pod" => Some(json!({"spec": slim_pod(&data["spec"]), "status": data["status"]})),
        "StatefulSet" | "Deployment" => {
            let mut data = data.clone();
            let template = data.get_mut("spec")?.get_mut("template")?.as_object_mut()?;
            template.remove("spec");
            Some(data)
        }
        _ => None,
    }
}

fn slim_pod(spec: &Value) -> Value {
    let kept = ["name", "image", "ports", "resources"];
    let slim = |container: &Value| -> Value {
        let fields = kept
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), container.get(*key)?.clone())));
        Value::Object(Map::from_iter(fields))
    };
    let containers: Vec<Value> = spec["containers"].as_array().into_iter().flatten().map(slim).collect();
    match spec.get("nodeName") {
        Some(node) => json!({"nodeName": node, "containers": containers}),
        None => json!({ "containers": containers }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{index_of, kind_at};
    use k8s_openapi::api::apps::v1::StatefulSet;
    use k8s_openapi::api::core::v1::Pod;

    fn body(kind: &str, object: Value, ours: bool) -> Body {
        let object = serde_json::from_value(object).expect("an object");
        body_of(kind_at(index_of(kind).expect("in the table")), &object, ours)
    }

    #[test]
    fn a_pod_keeps_where_it_runs_and_what_it_requests() {
        let pod = json!({"metadata": {"name": "p"}, "status": {"podIP": "1.2.3.4"}, "spec": {"nodeName": "node1",
            "volumes": [{"name": "v"}],
            "containers": [{"name": "c", "image": "i", "ports": [{"name": "patroni", "containerPort": 8009}],
                "env": [{"name": "X"}], "resources": {"requests": {"cpu": "1"}}}]}});
        let body = body("Pod", pod, false);
        assert_eq!(body.whole, body.slim);
        let pod: Pod = serde_json::from_slice(&body.slim).expect("still a pod");
        let spec = pod.spec.expect("kept");
        assert_eq!((spec.node_name.as_deref(), spec.volumes), (Some("node1"), None));
        assert!(spec.containers[0].env.is_none() && spec.containers[0].resources.is_some());
        assert!(spec.containers[0].ports.is_some(), "where its Patroni is asked");
    }

    #[test]
    fn a_workload_is_compared_whole_and_read_without_its_pod_template() {
        let set = json!({"metadata": {"name": "s"}, "spec": {"serviceName": "s", "selector": {}, "template": {
            "metadata": {"annotations": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}}});
        let body = body("StatefulSet", set, true);
        let whole: Value = serde_json::from_slice(&body.whole).expect("JSON");
        assert_eq!(whole["spec"]["template"]["spec"]["containers"][0]["name"], "c");
        let set: StatefulSet = serde_json::from_slice(&body.slim).expect("still a StatefulSet");
        let template = set.spec.expect("kept").template;
        assert!(template.spec.is_none() && template.metadata.is_some());
    }
}
