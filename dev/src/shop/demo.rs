//! The demo shop: an example file with a name and a port to reach it by. In: a size. Out: an applied ShopDeployment.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::kube::{self, Kube};
use crate::place::Place;
use crate::verbs::up::Size;

pub const NAME: &str = "demo";
pub const NAMESPACE: &str = "default";
pub const NODE_PORT: u16 = 30080;

/// Applies it; `node_port` only where the nodes' addresses can be reached from here.
pub fn apply(place: &Place, kube: &Kube, size: Size, node_port: bool) -> Result<()> {
    let name = match size {
        Size::Tiny => "tiny",
        Size::Small => "small",
        Size::Medium => "medium",
    };
    let file = place.checkout.join("examples").join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let shop = kube::parse_documents(&text)?
        .into_iter()
        .find(|document| document["kind"] == "ShopDeployment")
        .with_context(|| format!("{} holds no ShopDeployment", file.display()))?;
    kube.apply(&[as_demo(shop, node_port)])
}

/// Name and address are the demo's own; everything else is the example's.
fn as_demo(mut shop: Value, node_port: bool) -> Value {
    shop["metadata"]["name"] = json!(NAME);
    shop["metadata"]["namespace"] = json!(NAMESPACE);
    if let Some(gateway) = shop.pointer_mut("/spec/gateway").and_then(Value::as_object_mut) {
        // It is called by an address.
        gateway.remove("hostname");
    }
    if node_port {
        shop["spec"]["gateway"]["serviceType"] = json!("NodePort");
        shop["spec"]["gateway"]["nodePort"] = json!(NODE_PORT);
    } else if let Some(gateway) = shop.pointer_mut("/spec/gateway").and_then(Value::as_object_mut) {
        // The port may be taken on a cluster that is not ours.
        gateway.remove("serviceType");
        gateway.remove("nodePort");
    }
    shop
}

pub fn get(kube: &Kube) -> Result<Option<Value>> {
    kube.get(NAMESPACE, "shopdeployments.shop-operator.io", NAME)
}

/// All that run for it.
pub fn pods(kube: &Kube) -> Result<Vec<Value>> {
    let label = format!("app.kubernetes.io/instance={NAME},app.kubernetes.io/part-of=shop");
    kube.items(&["-n", NAMESPACE, "get", "pods", "-l", &label])
}

/// Whether it is of the smallest size: one Deployment for all services.
pub fn is_one_process(kube: &Kube) -> Result<bool> {
    let single = kube.get(NAMESPACE, "deployment", &format!("{NAME}-single"))?;
    Ok(single.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_stays_as_it_is_but_for_name_and_address() {
        let example = json!({"metadata": {"name": "small"}, "spec": {"gateway": {"hostname": "h"}, "redis": {}}});
        let demo = as_demo(example.clone(), true);
        assert_eq!(as_demo(demo.clone(), false)["spec"]["gateway"], json!({}));
        assert_eq!(demo["metadata"], json!({"name": "demo", "namespace": "default"}));
        assert_eq!(
            demo["spec"]["gateway"],
            json!({"serviceType": "NodePort", "nodePort": 30080})
        );
        assert_eq!(demo["spec"]["redis"], json!({}));
    }
}
