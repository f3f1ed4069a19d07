//! Refresh tokens. A token is base64url of four parts: the account (so that its shard is found without a search), the
//! session, a secret of the session and a secret of this very token. The session's secret proves that the token was
//! once given out here, so that only a token that was really used before, never a guess, ends the session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const ID: usize = 16;
const SECRET: usize = 32;
const LENGTH: usize = 2 * ID + 2 * SECRET;

type Secret = [u8; SECRET];

/// A token's parts. Not `Debug`: it would show them.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub user: Uuid,
    pub session: Uuid,
    family: Secret,
    own: Secret,
}

impl RefreshToken {
    /// The first of a new session.
    pub fn first(user: Uuid) -> Self {
        Self {
            user,
            session: Uuid::now_v7(),
            family: random(),
            own: random(),
        }
    }

    /// The one that replaces this.
    pub fn next(&self) -> Self {
        Self {
            own: random(),
            ..self.clone()
        }
    }

    /// What is kept of the session's secret. 32 random bytes need no slow hash.
    pub fn family_hash(&self) -> Vec<u8> {
        Sha256::digest(self.family).to_vec()
    }

    /// What is kept of this token's own secret.
    pub fn own_hash(&self) -> Vec<u8> {
        Sha256::digest(self.own).to_vec()
    }

    pub fn text(&self) -> String {
        let parts = [
            &self.user.as_bytes()[..],
            self.session.as_bytes(),
            &self.family,
            &self.own,
        ];
        URL_SAFE_NO_PAD.encode(parts.concat())
    }

    /// `None` is no token of this shop.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: &[u8; LENGTH] = bytes.as_slice().try_into().ok()?;
        let (user, rest) = bytes.split_first_chunk::<ID>()?;
        let (session, rest) = rest.split_first_chunk::<ID>()?;
        let (family, own) = rest.split_first_chunk::<SECRET>()?;
        Some(Self {
            user: Uuid::from_bytes(*user),
            session: Uuid::from_bytes(*session),
            family: *family,
            own: own.try_into().ok()?,
        })
    }
}

fn random() -> Secret {
    let mut secret = [0; SECRET];
    rand::rng().fill_bytes(&mut secret);
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let first = RefreshToken::first(Uuid::from_u128(7));
        let read = RefreshToken::parse(&first.text()).unwrap();
        assert!(read == first && read.user == Uuid::from_u128(7));
        let next = first.next();
        assert!(next.session == first.session && next.family_hash() == first.family_hash());
        assert!(next.own_hash() != first.own_hash());
    }

    #[test]
    fn what_is_no_token_is_none() {
        let text = RefreshToken::first(Uuid::from_u128(7)).text();
        for text in ["", "a.b.c", "%", &text[1..], &format!("{text}AAAA")] {
            assert!(RefreshToken::parse(text).is_none(), "{text}");
        }
    }
}
