//! Signing and checking. The header's key id must be the one of the known public key and its algorithm `EdDSA`;
//! whatever else a header asks for is refused before any signature is looked at.

use crate::Claims;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

const ALGORITHM: &str = "EdDSA";
/// Longer than any token made here.
const LONGEST: usize = 2048;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("must be {expected} bytes in base64")]
    Length { expected: usize },
    #[error("is no Ed25519 public key")]
    Point,
}

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

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions a reader must understand; none is understood here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

/// Makes tokens.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    kid: String,
}

/// Checks tokens.
#[derive(Clone)]
pub struct Verifier {
    key: VerifyingKey,
    kid: String,
}

impl Signer {
    /// From the seed in base64.
    pub fn from_seed(seed: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(&bytes(seed)?);
        Ok(Self {
            kid: key_id(&key.verifying_key()),
            key,
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

    pub fn verifier(&self) -> Verifier {
        Verifier {
            key: self.key.verifying_key(),
            kid: self.kid.clone(),
        }
    }
}

impl Verifier {
    /// From the public key in base64.
    pub fn from_public_key(key: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(&bytes(key)?).map_err(|_| KeyError::Point)?;
        Ok(Self { kid: key_id(&key), key })
    }

    /// The claims of a token that holds at `now`, in seconds since 1970.
    pub fn check(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = read(header)?;
        if header.alg != ALGORITHM || header.kid.as_deref() != Some(&self.kid) || header.crit.is_some() {
            return Err(TokenError::Key);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| TokenError::Malformed)?;
        self.key
            .verify_strict(signed.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let claims: Claims = read(claims)?;
        claims.check(now)?;
        Ok(claims)
    }
}

fn bytes(text: &str) -> Result<[u8; 32], KeyError> {
    let length = KeyError::Length { expected: 32 };
    let Ok(bytes) = STANDARD.decode(text.trim()) else {
        return Err(length);
    };
    bytes.try_into().map_err(|_| length)
}

fn key_id(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(&key.as_bytes()[..9])
}

fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("a struct of texts and numbers becomes JSON"))
}

fn read<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: u64 = 1_700_000_000;

    fn signer(byte: u8) -> Signer {
        Signer::from_seed(&STANDARD.encode([byte; 32])).unwrap()
    }

    fn claims() -> Claims {
        Claims::new(Uuid::from_u128(1), false, NOW)
    }

    #[test]
    fn a_token_holds_until_it_expires() {
        let signer = signer(1);
        let token = signer.sign(&claims());
        assert_eq!(signer.verifier().check(&token, NOW), Ok(claims()));
        assert_eq!(signer.verifier().check(&token, NOW + 3600), Err(TokenError::Expired));
        assert_eq!(signer.verifier().check(&token, NOW - 31), Err(TokenError::Claim("iat")));
        let public = Verifier::from_public_key(&STANDARD.encode(signer.verifier().key.as_bytes())).unwrap();
        assert_eq!(public.check(&token, NOW), Ok(claims()));
    }

    #[test]
    fn other_issuers_audiences_and_keys_are_refused() {
        let signer = signer(1);
        let check = |claims: Claims| signer.verifier().check(&signer.sign(&claims), NOW);
        assert_eq!(
            check(Claims {
                iss: "me".into(),
                ..claims()
            }),
            Err(TokenError::Claim("iss"))
        );
        assert_eq!(
            check(Claims {
                aud: "them".into(),
                ..claims()
            }),
            Err(TokenError::Claim("aud"))
        );
        let foreign = super::tests::signer(2).sign(&claims());
        assert_eq!(signer.verifier().check(&foreign, NOW), Err(TokenError::Key));
    }

    #[test]
    fn no_other_algorithm_is_accepted() {
        let signer = signer(1);
        for alg in ["none", "None", "HS256", "RS256", "eddsa"] {
            let header = serde_json::json!({"alg": alg, "kid": signer.kid});
            let signed = format!("{}.{}", part(&header), part(&claims()));
            let signature = URL_SAFE_NO_PAD.encode(signer.key.sign(signed.as_bytes()).to_bytes());
            for token in [format!("{signed}."), format!("{signed}.{signature}")] {
                assert_eq!(signer.verifier().check(&token, NOW), Err(TokenError::Key), "{alg}");
            }
        }
    }

    #[test]
    fn a_key_of_another_length_is_named() {
        assert_eq!(
            Signer::from_seed("c2hvcnQ=").err(),
            Some(KeyError::Length { expected: 32 })
        );
    }

    proptest! {
        #[test]
        fn a_changed_token_never_holds(at in 0_usize..300, with in "[A-Za-z0-9_.-]") {
            let signer = signer(1);
            let token = signer.sign(&claims());
            let at = at % token.len();
            let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            prop_assume!(changed != token);
            prop_assert!(signer.verifier().check(&changed, NOW).is_err());
        }

        #[test]
        fn no_text_is_a_panic(text in ".{0,200}") {
            prop_assert!(signer(1).verifier().check(&text, NOW).is_err());
        }
    }
}
