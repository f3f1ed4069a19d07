//! Bodies of `/api/v1/books`: what the comparison of orders, stock and payments last said, and what it repaired.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const AUDIT: &str = "/api/v1/books/audit";

/// `GET /api/v1/books`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Books {
    pub invariants: Vec<InvariantState>,
    /// Open findings, oldest first; at most 200 are listed.
    pub findings: Vec<Finding>,
    /// Sums of the last complete pass over all orders.
    pub totals: Vec<MoneyTotal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvariantState {
    pub name: String,
    /// What has to hold.
    pub meaning: String,
    /// Findings that have lasted long enough to count.
    pub violations: u64,
    /// RFC 3339; absent before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    pub invariant: String,
    /// `order/<id>`, `product/<id>`, `outbox/<database>/<table>` or `currency/<code>`.
    pub object: String,
    pub detail: String,
    /// False while it may still be work under way.
    pub lasting: bool,
    /// RFC 3339.
    pub first_seen: String,
    pub last_seen: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MoneyTotal {
    pub currency: String,
    pub orders: u64,
    /// Of confirmed, shipped and delivered orders over all shards, less what support gave back of them.
    pub confirmed_cents: i64,
    pub captured_cents: i64,
    pub refunded_cents: i64,
}

/// An entry of `GET /api/v1/books/audit`: something that was repaired.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: Uuid,
    /// RFC 3339.
    pub at: String,
    pub invariant: String,
    pub object: String,
    /// What was done, such as `emit payment.captured into payment_outbox`.
    pub action: String,
    pub why: String,
    /// What the databases said before.
    #[serde(default)]
    pub before: serde_json::Value,
    /// What they said when the finding was gone; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
    /// Why the repair itself failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
