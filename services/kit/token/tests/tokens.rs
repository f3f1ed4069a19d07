//! Which tokens hold and which do not, seen from outside the crate.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_token::{Claims, LIFETIME_SECONDS, Signer, TokenError, Verifier};
use uuid::Uuid;

const NOW: u64 = 1_700_000_000;

fn seed(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn signer(byte: u8) -> Signer {
    Signer::from_seed(&seed(byte)).unwrap()
}

fn public(byte: u8) -> String {
    STANDARD.encode(SigningKey::from_bytes(&[byte; 32]).verifying_key().as_bytes())
}

fn claims() -> Claims {
    Claims::new(Uuid::from_u128(1), false, NOW)
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Any header and claims, signed with the right key.
fn signed(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = SigningKey::from_bytes(&[1; 32]).sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn kid() -> String {
    signer(1).verifier().jwks().keys[0].kid.clone()
}

#[test]
fn a_token_holds_until_it_expires() {
    let token = signer(1).sign(&claims());
    for verifier in [signer(1).verifier(), Verifier::from_public_key(&public(1)).unwrap()] {
        assert_eq!(verifier.check(&token, NOW), Ok(claims()));
        assert_eq!(verifier.check(&token, NOW + LIFETIME_SECONDS), Err(TokenError::Expired));
        assert_eq!(verifier.check(&token, NOW - 31), Err(TokenError::Claim("iat")));
    }
}

#[test]
fn a_role_and_a_session_travel_and_an_old_token_is_a_customer_s() {
    let full = claims().with_role(Role::Support).in_session(Uuid::from_u128(9));
    let verifier = signer(1).verifier();
    assert_eq!(verifier.check(&signer(1).sign(&full), NOW), Ok(full));
    let mut old = serde_json::to_value(claims()).unwrap();
    old.as_object_mut().unwrap().remove("role");
    let token = signed(&json!({"alg": "EdDSA", "kid": kid()}), &old);
    assert_eq!(verifier.check(&token, NOW).unwrap().role, Role::Customer);
    old["role"] = json!("owner");
    let token = signed(&json!({"alg": "EdDSA", "kid": kid()}), &old);
    assert_eq!(verifier.check(&token, NOW), Err(TokenError::Malformed));
}

#[test]
fn a_key_is_replaced_without_logging_anyone_out() {
    let (old, both) = (seed(1), format!("{},{}", seed(1), seed(2)));
    let turned = format!("{},{}", seed(2), seed(1));
    let old_token = Signer::from_seed(&old).unwrap().sign(&claims());
    // The new key is published, then it signs, then the old one goes.
    for stage in [&old, &both, &turned] {
        let signer = Signer::from_seed(stage).unwrap();
        assert_eq!(signer.verifier().check(&old_token, NOW), Ok(claims()), "{stage}");
    }
    let new_token = Signer::from_seed(&turned).unwrap().sign(&claims());
    let waiting = Signer::from_seed(&both).unwrap().verifier();
    assert_eq!(waiting.check(&new_token, NOW), Ok(claims()));
    let last = Signer::from_seed(&seed(2)).unwrap().verifier();
    assert_eq!(last.check(&new_token, NOW), Ok(claims()));
    assert_eq!(last.check(&old_token, NOW), Err(TokenError::Key));
    let listed = Verifier::from_public_key(&format!("{}, {}", public(1), public(2))).unwrap();
    assert!(listed.check(&old_token, NOW).is_ok() && listed.check(&new_token, NOW).is_ok());
}

#[test]
fn the_published_keys_are_each_named_once() {
    let both = signer(1).verifier().and(
        &Signer::from_seed(&format!("{},{}", seed(2), seed(1)))
            .unwrap()
            .verifier(),
    );
    let jwks = serde_json::to_value(both.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2, "{jwks}");
    let expected = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid(),
        "x": URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&[1; 32]).verifying_key().as_bytes())});
    assert_eq!(keys[0], expected);
}

#[test]
fn other_issuers_audiences_and_keys_are_refused() {
    let signer = signer(1);
    let check = |claims: Claims| signer.verifier().check(&signer.sign(&claims), NOW);
    let iss = "me".to_owned();
    assert_eq!(check(Claims { iss, ..claims() }), Err(TokenError::Claim("iss")));
    let aud = "them".to_owned();
    assert_eq!(check(Claims { aud, ..claims() }), Err(TokenError::Claim("aud")));
    let foreign = self::signer(2).sign(&claims());
    assert_eq!(signer.verifier().check(&foreign, NOW), Err(TokenError::Key));
}

#[test]
fn no_other_algorithm_is_accepted_even_with_the_right_signature() {
    let claims = serde_json::to_value(claims()).unwrap();
    let verifier = signer(1).verifier();
    assert!(
        verifier
            .check(&signed(&json!({"alg": "EdDSA", "kid": kid()}), &claims), NOW)
            .is_ok()
    );
    for alg in ["none", "None", "HS256", "RS256", "ES256", "eddsa", ""] {
        let token = signed(&json!({"alg": alg, "kid": kid()}), &claims);
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        for token in [token, unsigned] {
            assert_eq!(verifier.check(&token, NOW), Err(TokenError::Key), "{alg}");
        }
    }
    for header in [
        json!({"alg": "EdDSA"}),
        json!({"alg": "EdDSA", "kid": kid(), "crit": ["b64"]}),
    ] {
        assert_eq!(
            verifier.check(&signed(&header, &claims), NOW),
            Err(TokenError::Key),
            "{header}"
        );
    }
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
