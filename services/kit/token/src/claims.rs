//! What a token says and when it holds. Pure: the time comes in.

use crate::keys::TokenError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const ISSUER: &str = "shop";
pub const AUDIENCE: &str = "shop";
pub const LIFETIME_SECONDS: u64 = 3600;
/// Clocks of two nodes may differ by this much.
const LEEWAY_SECONDS: u64 = 30;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The customer.
    pub sub: Uuid,
    /// Seconds since 1970.
    pub iat: u64,
    pub exp: u64,
    /// The operator's test customer.
    #[serde(default)]
    pub synthetic: bool,
}

impl Claims {
    pub fn new(user: Uuid, synthetic: bool, now: u64) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            iat: now,
            exp: now + LIFETIME_SECONDS,
            synthetic,
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
