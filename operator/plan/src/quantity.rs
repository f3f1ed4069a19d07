//! Kubernetes quantities to numbers. Comes in: text as a user wrote it. Goes out: bytes or thousandths of a core, or why
//! it is neither. Only what a spec may hold: no exponents, no negative numbers.

use crate::shop::Bytes;

const BINARY: [(&str, u64); 5] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
];
const DECIMAL: [(&str, u64); 5] = [
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
];

/// `20Gi`, `512Mi`, `1.5G`, `1000`.
pub fn bytes(text: &str) -> Result<Bytes, String> {
    let unit = BINARY.iter().chain(&DECIMAL).find(|(suffix, _)| text.ends_with(suffix));
    let (number, factor) = unit.map_or((text, 1), |(suffix, factor)| {
        (&text[..text.len() - suffix.len()], *factor)
    });
    scaled(number, factor)
        .map(Bytes)
        .ok_or_else(|| format!("{text:?} is not a quantity of bytes, such as 20Gi or 512Mi"))
}

/// `500m`, `2`, `1.5`: in thousandths of a core.
pub fn millicores(text: &str) -> Result<u64, String> {
    let (number, factor) = text.strip_suffix('m').map_or((text, 1000), |number| (number, 1));
    scaled(number, factor).ok_or_else(|| format!("{text:?} is not a quantity of CPU, such as 500m or 2"))
}

/// `number` × `factor`, exactly, with up to nine digits behind the point; whole units, rounded up.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let value = whole.parse::<u128>().ok()? * scale + fraction.parse::<u128>().ok()?;
    u64::try_from((value * u128::from(factor)).div_ceil(scale)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kubernetes_reads() {
        assert_eq!(bytes("20Gi"), Ok(Bytes(20 << 30)));
        assert_eq!(bytes("1.5Mi"), Ok(Bytes(3 << 19)));
        assert_eq!(bytes("1000"), Ok(Bytes(1000)));
        assert_eq!(millicores("1.5"), Ok(1500));
        assert_eq!(millicores("25m"), Ok(25));
        assert_eq!(Bytes(20 << 30).to_string(), "20Gi");
    }

    #[test]
    fn refuses_the_rest_with_an_example() {
        for text in ["", "Gi", "-1", "1e3", "20GB", "1.2.3", "٣Gi", "99999999999999999999"] {
            assert!(bytes(text).unwrap_err().contains("20Gi"), "{text}");
        }
    }
}
