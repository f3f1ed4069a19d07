//! Bodies of payments, refunds and the provider's webhooks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payment {
    pub id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub status: PaymentStatus,
    pub amount_cents: i64,
    /// Given back so far.
    pub refunded_cents: i64,
    pub currency: String,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub refunds: Vec<Refund>,
    /// RFC 3339.
    pub created_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The provider is asked to hold the amount.
    Authorizing,
    Authorized,
    Declined,
    /// The stock is there: the provider is asked to take the amount.
    Capturing,
    Captured,
    /// The order was cancelled: the provider is asked to let go of the amount.
    Voiding,
    Voided,
    /// The order was cancelled after it was paid: everything is being given back.
    Refunding,
    /// Everything was given back.
    Refunded,
}

/// `POST /api/v1/payments/{id}/refunds`: gives a part of a captured payment back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestRefund {
    /// At least 1; with all other refunds never more than was captured.
    pub amount_cents: i64,
    /// For the books; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refund {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount_cents: i64,
    pub status: RefundStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The provider is being asked.
    Pending,
    Done,
    Declined,
}

/// What the provider tells by itself, under a signature. The same event may come more than once and in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentWebhook {
    pub event_id: Uuid,
    /// The idempotency key of the request it answers; at most 200 characters.
    pub key: String,
    pub outcome: WebhookOutcome,
    /// Why it was declined; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebhookOutcome {
    Done,
    Declined,
}
