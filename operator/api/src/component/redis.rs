//! The section `spec.redis`.

use crate::component::resources::{Resources, Storage};
use crate::quantity::Quantity;
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule::a_single_server_has_no_replica(),
    rule::fixed("shards", "moving slots between primaries is not offered yet; create a new shop")
]))]
pub struct Redis {
    /// Any Redis-compatible image; default: Valkey, as the operator was installed with. A change restarts every server, one
    /// at a time, replicas first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Primaries: 1 for a single server, 3 to 100 for a cluster; sized by the audience. Cannot be changed after creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::one_or_a_cluster()]))]
    pub shards: Option<u16>,
    /// Replicas of each primary, 0 to 4; sized by the audience. A change starts or stops replicas, restarts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(0, 4)]))]
    pub replicas: Option<u16>,
    /// The volume of each server.
    pub storage: Storage,
    /// Of each server.
    pub resources: Resources,
    /// Memory for data of each server, in bytes such as `256Mi`; default: two thirds of the memory limit. Keys with a
    /// time to live go first when it is full. A change restarts every server, one at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<Quantity>,
}
