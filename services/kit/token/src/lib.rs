//! Access tokens: compact JWS signed with Ed25519 (RFC 8037, `alg: EdDSA`), the only algorithm there is. In: claims and
//! a time. Out: a token, or the claims of one that holds. Only `user` signs; everybody checks with the public keys,
//! of which there may be several, so that a key can be replaced while the tokens of the old one still hold.

mod caller;
mod claims;
mod jwks;
mod keys;
mod verify;

pub use caller::Caller;
pub use claims::{AUDIENCE, Claims, ISSUER, LIFETIME_SECONDS};
pub use jwks::{Jwk, Jwks};
pub use keys::{KeyError, Signer};
pub use verify::{TokenError, Verifier};
