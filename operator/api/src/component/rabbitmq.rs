//! The section `spec.rabbitmq`.

use crate::component::resources::{Resources, Storage};
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule::fixed("nodes", "growing a broker is not offered yet; create a new shop")
]))]
pub struct RabbitMq {
    /// Image with RabbitMQ 4, and flock of util-linux; default: the one the operator was installed with. A change restarts every node, one at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Nodes: 1, 3, 5 or 7; sized by the audience. Odd, because queues need a majority. Cannot be changed after creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::one_of(&[1, 3, 5, 7])]))]
    pub nodes: Option<u16>,
    /// The volume of each node.
    pub storage: Storage,
    /// Of each node.
    pub resources: Resources,
}
