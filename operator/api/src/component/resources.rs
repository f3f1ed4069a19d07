//! What every section asks of the cluster: compute and volumes.

use crate::quantity::Quantity;
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Compute of each pod. Unwritten values are sized by the audience. A change restarts the pods, one at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// What the scheduler reserves.
    pub requests: ResourceList,
    /// What a container may use at most. Memory beyond it ends the container; default: memory as requested for datastores.
    pub limits: ResourceList,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceList {
    /// Cores: `2` or `500m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Bytes: `1Gi`, `512Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
}

/// The volume of each pod. Fixed after creation for now, and kept when the shop is deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule::fixed("size", "grow the claims themselves, or create a new shop"),
    rule::fixed("className", "create a new shop with the other class")
]))]
pub struct Storage {
    /// Bytes, such as `20Gi`; sized by the audience. Cannot be changed after creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// A StorageClass; default: the cluster's default class. Cannot be changed after creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
}
