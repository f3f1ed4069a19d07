//! Conditions in the shape of `metav1.Condition`, and the names used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const READY: &str = "Ready";
pub const VALID: &str = "Valid";
pub const PROGRESSING: &str = "Progressing";
pub const RECOVERABLE: &str = "Recoverable";
/// kstatus (Flux, Argo CD, Helm) waits on these two: true only while it is so.
pub const RECONCILING: &str = "Reconciling";
pub const STALLED: &str = "Stalled";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    pub reason: String,
    pub message: String,
    pub last_transition_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
