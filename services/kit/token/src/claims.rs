//! What a token says and when it holds. Pure: the time comes in.

use crate::TokenError;
use serde::{Deserialize, Serialize};
use shop_contract::api::Role;
use uuid::Uuid;

pub const ISSUER: &str = "shop";
pub const AUDIENCE: &str = "shop";
/// A token cannot be taken back, so it is short; the session behind it can.
pub const LIFETIME_SECONDS: u64 = 15 * 60;
/// Clocks of two nodes may differ by this much.
const LEEWAY_SECONDS: u64 = 30;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The account.
    pub sub: Uuid,
    /// Seconds since 1970.
    pub iat: u64,
    pub exp: u64,
    /// The operator's test customer.
    #[serde(default)]
    pub synthetic: bool,
    /// Absent in tokens of older programs, which knew customers only.
    #[serde(default)]
    pub role: Role,
    /// The session it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

impl Claims {
    /// A customer's.
    pub fn new(user: Uuid, synthetic: bool, now: u64) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            iat: now,
            exp: now + LIFETIME_SECONDS,
            synthetic,
            role: Role::Customer,
            sid: None,
        }
    }

    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    pub fn in_session(self, session: Uuid) -> Self {
        Self {
            sid: Some(session),
            ..self
        }
    }

    pub(crate) fn check(&self, now: u64) -> Result<(), TokenError> {
        if self.iss != ISSUER {
            return Err(TokenError::Claim("iss"));
        }
        if self.aud != AUDIENCE {
            return Err(TokenError::Claim("aud"));
        }
        if self.iat > now + LEEWAY_SECONDS {
            return Err(TokenError::Claim("iat"));
        }
        if self.exp <= now {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}
