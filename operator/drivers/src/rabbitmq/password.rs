//! Whether a password belongs to the hash RabbitMQ keeps: base64 of four bytes of salt and the digest of salt and
//! password (RabbitMQ, "Credentials and Passwords"). Asking this way needs no login, which a user without tags
//! cannot have on the management interface, and no write.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

const SALT: usize = 4;

/// False also for an algorithm that is not known here: then the password is written, which is harmless.
pub(super) fn matches(password: &str, hash: &str, algorithm: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(hash) else { return false };
    let Some((salt, digest)) = bytes.split_at_checked(SALT) else {
        return false;
    };
    let salted = [salt, password.as_bytes()].concat();
    match algorithm {
        "rabbit_password_hashing_sha256" => Sha256::digest(&salted).as_slice() == digest,
        "rabbit_password_hashing_sha512" => Sha512::digest(&salted).as_slice() == digest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches() {
        let salt = [1, 2, 3, 4];
        let digest = Sha256::digest([&salt[..], b"secret"].concat());
        let hash = STANDARD.encode([&salt[..], digest.as_slice()].concat());
        assert!(matches("secret", &hash, "rabbit_password_hashing_sha256"));
        assert!(!matches("other", &hash, "rabbit_password_hashing_sha256"));
        assert!(!matches("secret", &hash, "rabbit_password_hashing_sha512"));
        assert!(!matches("secret", "no base64!", "rabbit_password_hashing_sha256"));
    }
}
