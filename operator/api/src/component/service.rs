//! An entry of the map `spec.services`.

use crate::component::resources::Resources;
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A service; any change replaces its pods gradually, new ones first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule::replicas_or_autoscaling()]))]
pub struct Service {
    /// Needed for a service of your own; replaces the operator's default for a built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// The container's HTTP port, 1024 to 65535; needed for a service of your own, refused for a built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1024, 65535)]))]
    pub port: Option<u16>,
    /// Path prefix the gateway sends to a service of your own, such as `/reviews`; default: none, reached only from inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 128), regex(pattern = r"^/[A-Za-z0-9/_.-]*[A-Za-z0-9_-]$"))]
    #[schemars(extend("x-kubernetes-validations" = [rule::routes_stay_public()]))]
    pub route: Option<String>,
    /// Pods, 1 to 1000; sized by the audience. A change starts or stops pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 1000)]))]
    pub replicas: Option<u16>,
    /// Let a HorizontalPodAutoscaler choose the number of pods; default: a fixed number. Not together with `replicas`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Of each pod.
    pub resources: Resources,
    /// Plain environment variables, at most 64; names starting with `SHOP_` are the operator's.
    #[schemars(extend("maxProperties" = 64, "x-kubernetes-validations" = [rule::env_is_the_users()]))]
    pub env: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule::max_not_below_min()]))]
pub struct Autoscaling {
    /// Pods at least, 1 to 1000.
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 1000)]))]
    pub min_replicas: u16,
    /// Pods at most, 1 to 1000. The connection budget counts with this number.
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 1000)]))]
    pub max_replicas: u16,
    /// Percent of the requested CPU, 1 to 100; default 70.
    #[serde(default = "seventy")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 100)]))]
    pub target_cpu_utilization: u16,
}

fn seventy() -> u16 {
    70
}
