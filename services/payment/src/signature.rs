//! Signatures of webhooks. In: the shared secret, a time and a body. Out: the header `shop-signature: t=…,v1=…`, where
//! `v1` is HMAC-SHA-256 over `<t>.<body>` in hexadecimal digits, or why a header does not hold. Pure: the time comes in.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub const HEADER: &str = "shop-signature";
/// Seconds a signature's time may differ from ours, so that a caught message cannot be sent again for ever.
pub const TOLERANCE_SECONDS: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("send `{HEADER}: t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA-256>`")]
    Malformed,
    #[error("the signature's time is more than {TOLERANCE_SECONDS} s from now")]
    Time,
    #[error("the signature does not match")]
    Mismatch,
}

pub fn sign(secret: &str, seconds: u64, body: &[u8]) -> String {
    let tag = mac(secret, seconds, body).finalize().into_bytes();
    let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// Compares in constant time. Several `v1` may be there while a secret is being changed.
pub fn check(secret: &str, header: &str, now: u64, body: &[u8]) -> Result<(), SignatureError> {
    let (mut time, mut tags) = (None, Vec::new());
    for part in header.split(',').take(8) {
        match part.trim().split_once('=') {
            Some(("t", seconds)) => time = seconds.parse::<u64>().ok(),
            Some(("v1", tag)) => tags.push(bytes(tag).ok_or(SignatureError::Malformed)?),
            _ => {}
        }
    }
    let time = time.filter(|_| !tags.is_empty()).ok_or(SignatureError::Malformed)?;
    if time.abs_diff(now) > TOLERANCE_SECONDS {
        return Err(SignatureError::Time);
    }
    let expected = mac(secret, time, body);
    let holds = |tag: &Vec<u8>| expected.clone().verify_slice(tag).is_ok();
    if tags.iter().any(holds) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

fn mac(secret: &str, seconds: u64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let digits = (0..hex.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000;

    /// Calculated with openssl: `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn the_signature_is_what_others_calculate() {
        let expected = "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163";
        assert_eq!(sign("secret", NOW, b"{}"), expected);
    }

    #[test]
    fn time_secret_and_shape_are_checked() {
        let header = sign("secret", NOW, b"{}");
        assert_eq!(check("secret", &header, NOW + 300, b"{}"), Ok(()));
        assert_eq!(check("secret", &header, NOW + 301, b"{}"), Err(SignatureError::Time));
        assert_eq!(check("secret", &header, NOW - 301, b"{}"), Err(SignatureError::Time));
        assert_eq!(check("other", &header, NOW, b"{}"), Err(SignatureError::Mismatch));
        assert_eq!(check("secret", &header, NOW, b"{ }"), Err(SignatureError::Mismatch));
        let later = header.replace("t=1700000000", "t=1700000001");
        assert_eq!(check("secret", &later, NOW, b"{}"), Err(SignatureError::Mismatch));
        for wrong in [
            "",
            "t=1,v1=",
            "v1=00",
            "t=1700000000",
            "t=x,v1=00",
            "t=1700000000,v1=zz",
            "é=é",
        ] {
            assert_eq!(
                check("secret", wrong, NOW, b"{}"),
                Err(SignatureError::Malformed),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_changed_body_or_header_never_holds(body in ".{0,64}", other in ".{0,64}", at in 0_usize..80, with in "[0-9a-f]") {
            let header = sign("secret", NOW, body.as_bytes());
            prop_assert_eq!(check("secret", &header, NOW, body.as_bytes()), Ok(()));
            prop_assume!(other != body);
            prop_assert!(check("secret", &header, NOW, other.as_bytes()).is_err());
            let at = at % header.len();
            let changed = format!("{}{with}{}", &header[..at], &header[at + 1..]);
            prop_assume!(changed != header);
            prop_assert!(check("secret", &changed, NOW, body.as_bytes()).is_err());
        }
    }
}
