//! Signing. In: seeds, comma-separated. The first one signs; the others are only published, so that every verifier
//! knows a key before it signs and still knows it while its last tokens hold.

use crate::{Claims, Verifier};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

pub(crate) const ALGORITHM: &str = "EdDSA";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("must be {expected} bytes in base64")]
    Length { expected: usize },
    #[error("is no Ed25519 public key")]
    Point,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    pub alg: String,
    #[serde(default)]
    pub typ: Option<String>,
    #[serde(default)]
    pub kid: Option<String>,
    /// Extensions a reader must understand; none is understood here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crit: Option<serde_json::Value>,
}

/// Makes tokens.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    kid: String,
    verifier: Verifier,
}

impl Signer {
    /// From seeds in base64, comma-separated; the first signs.
    pub fn from_seed(seeds: &str) -> Result<Self, KeyError> {
        let keys: Result<Vec<[u8; 32]>, KeyError> = listed(seeds).map(bytes).collect();
        let keys: Vec<SigningKey> = keys?.iter().map(SigningKey::from_bytes).collect();
        let Some(key) = keys.first() else {
            return Err(KeyError::Length { expected: 32 });
        };
        Ok(Self {
            kid: key_id(&key.verifying_key()),
            verifier: Verifier::of(keys.iter().map(SigningKey::verifying_key)),
            key: key.clone(),
        })
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header {
            alg: ALGORITHM.to_owned(),
            typ: Some("JWT".to_owned()),
            kid: Some(self.kid.clone()),
            crit: None,
        };
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Knows the keys of all seeds.
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }
}

/// The entries of a comma-separated list.
pub(crate) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

pub(crate) fn bytes(text: &str) -> Result<[u8; 32], KeyError> {
    let length = KeyError::Length { expected: 32 };
    let Ok(bytes) = STANDARD.decode(text) else {
        return Err(length);
    };
    bytes.try_into().map_err(|_| length)
}

pub(crate) fn key_id(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(&key.as_bytes()[..9])
}

pub(crate) fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("a struct of texts and numbers becomes JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_named() {
        for seeds in ["c2hvcnQ=", "", " , ", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,x"] {
            assert_eq!(
                Signer::from_seed(seeds).err(),
                Some(KeyError::Length { expected: 32 }),
                "{seeds}"
            );
        }
    }
}
