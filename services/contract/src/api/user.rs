//! Accounts, their addresses and their sessions.

use super::Role;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An account as its owner and the shop's staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// RFC 3339.
    pub created_at: String,
}

/// `PATCH /api/v1/users/me`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EditAccount {
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
}

/// `PUT /api/v1/users/me/password`: ends all other sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[cfg_attr(feature = "openapi", schema(max_length = 1024))]
    pub current_password: String,
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 128))]
    pub new_password: String,
}

/// `PUT /api/v1/users/{id}/role`: holds as soon as the account's access token has been renewed, within 15 minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    pub role: Role,
}

/// `POST /api/v1/sessions/refresh`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshSession {
    #[cfg_attr(feature = "openapi", schema(max_length = 512))]
    pub refresh_token: String,
}

/// A session that was begun or renewed. The refresh token holds once: the next one comes with the answer to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenSession {
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Of the access token, in seconds.
    pub expires_in: u64,
    pub refresh_token: String,
    /// Of the refresh token, in seconds.
    pub refresh_expires_in: u64,
    pub session_id: Uuid,
    pub user_id: Uuid,
}

/// One of an account's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownSession {
    pub id: Uuid,
    /// Whether it is the one this request was made in.
    pub current: bool,
    /// What the client called itself when it logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    pub refreshed_at: String,
    pub expires_at: String,
}
