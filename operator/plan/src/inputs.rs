//! Everything a plan is made of, besides the spec: read once, at the edge, by the controller or the offline CLI.

use serde::{Deserialize, Serialize};

/// The images the operator was installed with (chart values); a spec may replace each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    pub postgres: String,
    pub redis: String,
    pub rabbitmq: String,
    pub gateway: String,
    pub user: String,
    pub product: String,
    pub order: String,
}

/// The surroundings of one decision.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub images: Images,
    /// The operator's own version.
    pub version: String,
    /// Namespace of the operator's own pod, so that network rules and RBAC can name it.
    pub operator_namespace: String,
    /// The clock, read once.
    pub now: jiff::Timestamp,
}
