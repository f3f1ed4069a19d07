//! The public keys as a JSON Web Key Set (RFC 7517, RFC 8037), which `user` publishes.

use crate::keys::ALGORITHM;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
    /// The one a token's header names.
    pub kid: String,
    /// The public key, base64url.
    pub x: String,
}

impl Jwk {
    pub(crate) fn ed25519(kid: &str, key: &[u8; 32]) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: ALGORITHM,
            kid: kid.to_owned(),
            x: URL_SAFE_NO_PAD.encode(key),
        }
    }
}
