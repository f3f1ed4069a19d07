//! The feed of what happened to a customer's orders, and the customer's webhook.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    pub id: Uuid,
    /// The event: `order.placed`, `order.confirmed`, `order.shipped` or `order.cancelled`.
    pub kind: String,
    pub order_id: Uuid,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; absent while it is unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<String>,
}

/// `PUT /api/v1/users/me/webhook`: one per account; setting it again replaces it and its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetWebhook {
    /// http or https, to a public address.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub url: String,
}

/// The answer to setting one: the only time the secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewWebhook {
    pub url: String,
    /// `whsec_` and the key in base64. Each delivery carries `webhook-id`, `webhook-timestamp` and `webhook-signature`:
    /// `v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64, as standardwebhooks.com describes.
    pub secret: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    pub url: String,
    /// RFC 3339.
    pub created_at: String,
}
