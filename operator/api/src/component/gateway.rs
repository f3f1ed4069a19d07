//! The section `spec.gateway`.

use crate::component::resources::Resources;
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule::node_port_needs_its_type()]))]
pub struct Gateway {
    /// Envoy; default: the image the operator was installed with. A change replaces the gateway's pods gradually.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Pods, 1 to 100; sized by the audience. A change starts or stops pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 100)]))]
    pub replicas: Option<u16>,
    /// Of each pod.
    pub resources: Resources,
    /// How the gateway's Service is reached: `ClusterIP` (default), `NodePort` or `LoadBalancer`. A change restarts nothing.
    pub service_type: GatewayServiceType,
    /// Port on every node, 30000 to 32767; default: chosen by the cluster. A change restarts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(30000, 32767)]))]
    pub node_port: Option<u16>,
    /// The name customers call the shop by, such as `shop.example.com`; default: any name is answered. A change replaces
    /// the gateway's pods gradually.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub hostname: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GatewayServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}
