//! Checking. The header's key id must be one of the known public keys and its algorithm `EdDSA`; whatever else a header
//! asks for is refused before any signature is looked at.

use crate::keys::{ALGORITHM, Header, bytes, key_id, listed};
use crate::{Claims, Jwk, Jwks, KeyError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use shop_contract::env;
use shop_kit_config::Env;
use std::sync::Arc;

/// Longer than any token made here.
const LONGEST: usize = 2048;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token was signed by an algorithm or a key that is not known here")]
    Key,
    #[error("the token's signature does not match")]
    Signature,
    #[error("the token's claim `{0}` is not acceptable")]
    Claim(&'static str),
    #[error("the token has expired: log in again")]
    Expired,
}

/// Checks tokens. Cloning shares the keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Arc<[Key]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    kid: String,
    key: VerifyingKey,
}

impl Verifier {
    /// From public keys in base64, comma-separated; at least one.
    pub fn from_public_key(keys: &str) -> Result<Self, KeyError> {
        let parse = |key| VerifyingKey::from_bytes(&bytes(key)?).map_err(|_| KeyError::Point);
        let keys: Result<Vec<VerifyingKey>, KeyError> = listed(keys).map(parse).collect();
        let keys = keys?;
        if keys.is_empty() {
            return Err(KeyError::Length { expected: 32 });
        }
        Ok(Self::of(keys))
    }

    /// From the variable the operator sets.
    pub fn read(env: &Env) -> Option<Self> {
        let keys = env.text(env::TOKEN_PUBLIC_KEY)?;
        Self::from_public_key(&keys)
            .map_err(|error| env.problem(env::TOKEN_PUBLIC_KEY, error))
            .ok()
    }

    pub(crate) fn of(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let keys = keys.into_iter().map(|key| Key { kid: key_id(&key), key });
        Self { keys: keys.collect() }
    }

    /// One that knows the keys of both.
    pub fn and(&self, other: &Self) -> Self {
        let new = other.keys.iter().filter(|key| !self.keys.contains(key));
        Self {
            keys: self.keys.iter().chain(new).cloned().collect(),
        }
    }

    /// The claims of a token that holds at `now`, in seconds since 1970.
    pub fn check(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = read(header)?;
        if header.alg != ALGORITHM || header.crit.is_some() {
            return Err(TokenError::Key);
        }
        let known = self.keys.iter().find(|key| header.kid.as_ref() == Some(&key.kid));
        let known = known.ok_or(TokenError::Key)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| TokenError::Malformed)?;
        known
            .key
            .verify_strict(signed.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let claims: Claims = read(claims)?;
        claims.check(now)?;
        Ok(claims)
    }

    /// The keys for whoever checks tokens outside the shop.
    pub fn jwks(&self) -> Jwks {
        let keys = self.keys.iter();
        Jwks {
            keys: keys.map(|key| Jwk::ed25519(&key.kid, key.key.as_bytes())).collect(),
        }
    }
}

fn read<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}
