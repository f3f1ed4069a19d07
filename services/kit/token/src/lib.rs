//! Access tokens: compact JWS signed with Ed25519 (RFC 8037, `alg: EdDSA`), the only algorithm there is. In: claims and
//! a time. Out: a token, or the claims of one that holds. Only `user` signs; everybody checks with the public key.

mod caller;
mod claims;
mod keys;

pub use caller::Caller;
pub use claims::{AUDIENCE, Claims, ISSUER, LIFETIME_SECONDS};
pub use keys::{KeyError, Signer, TokenError, Verifier};
