//! Values of a generated Secret. In come the keys wanted and the values known, out come only the missing ones: a value
//! that is known is never made again, except a public key, which is nothing without its seed. The one place of the operator where randomness enters besides jitter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use rand::RngExt;
use shop_plan::object::{GeneratedKey, Generator};
use std::collections::BTreeMap;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SEED_BYTES: usize = 32;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GenerateError {
    #[error("key {key} is made from key {from}, which is not there or not base64 of 32 bytes")]
    Seed { key: String, from: String },
}

/// The values that are missing. Keys made from others come after those they are made from, and again with them.
pub fn missing(
    wanted: &[GeneratedKey],
    existing: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, GenerateError> {
    let mut made = BTreeMap::new();
    let absent = |wanted: &&GeneratedKey| !existing.contains_key(&wanted.key);
    for GeneratedKey { key, how } in wanted.iter().filter(absent) {
        match how {
            Generator::Password { length } => made.insert(key.clone(), password(*length)),
            Generator::Seed => made.insert(key.clone(), STANDARD.encode(rand::random::<[u8; SEED_BYTES]>())),
            Generator::Ed25519PublicKeyOf { .. } => None,
        };
    }
    for GeneratedKey { key, how } in wanted {
        if let Generator::Ed25519PublicKeyOf { key: from } = how
            && (made.contains_key(from) || !existing.contains_key(key))
        {
            let seed = made.get(from).or_else(|| existing.get(from));
            let error = || GenerateError::Seed {
                key: key.clone(),
                from: from.clone(),
            };
            let public = seed.and_then(|seed| public_key(seed)).ok_or_else(error)?;
            made.insert(key.clone(), public);
        }
    }
    Ok(made)
}

fn password(length: usize) -> String {
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}

fn public_key(seed: &str) -> Option<String> {
    let seed: [u8; SEED_BYTES] = STANDARD.decode(seed).ok()?.try_into().ok()?;
    Some(STANDARD.encode(SigningKey::from_bytes(&seed).verifying_key().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Vec<GeneratedKey> {
        let of = |key: &str, how| GeneratedKey { key: key.into(), how };
        vec![
            of("public", Generator::Ed25519PublicKeyOf { key: "seed".into() }),
            of("seed", Generator::Seed),
            of("password", Generator::Password { length: 24 }),
        ]
    }

    #[test]
    fn all_are_made_at_first_and_none_afterwards() {
        let made = missing(&wanted(), &BTreeMap::new()).expect("all can be made");
        assert_eq!(made.len(), 3);
        assert_eq!(made["password"].len(), 24);
        assert_eq!(missing(&wanted(), &made), Ok(BTreeMap::new()));
    }

    #[test]
    fn a_key_a_newer_operator_wants_is_added_and_the_others_rest() {
        let old = missing(&wanted(), &BTreeMap::new()).expect("all can be made");
        let mut wanted = wanted();
        wanted.push(GeneratedKey {
            key: "new".into(),
            how: Generator::Password { length: 32 },
        });
        let added = missing(&wanted, &old).expect("one more can be made");
        assert_eq!(added.keys().collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn a_lost_public_key_is_made_from_the_seed_that_is_there() {
        let made = missing(&wanted(), &BTreeMap::new()).expect("all can be made");
        let mut left = made.clone();
        left.remove("public");
        let again = missing(&wanted(), &left).expect("from the seed");
        assert_eq!(again.get("public"), made.get("public"));
        assert_eq!(again.len(), 1);
    }

    #[test]
    fn a_new_seed_has_a_new_public_key() {
        let mut left = missing(&wanted(), &BTreeMap::new()).expect("all can be made");
        let lost = left.remove("seed");
        let again = missing(&wanted(), &left).expect("both can be made");
        assert_ne!(again.get("seed"), lost.as_ref());
        assert_eq!(again.get("public").cloned(), public_key(&again["seed"]));
    }

    #[test]
    fn a_broken_seed_is_named_and_not_replaced() {
        let existing = BTreeMap::from([("seed".to_owned(), "short".to_owned())]);
        let error = missing(&wanted(), &existing).expect_err("cannot be decoded");
        assert_eq!(
            error,
            GenerateError::Seed {
                key: "public".into(),
                from: "seed".into()
            }
        );
    }
}
