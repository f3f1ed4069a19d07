//! What Redis keeps under a key: `version:body`. The body is the answer itself, so that a hit needs no parsing; an empty
//! body says that there is nothing. Version 0 is older than everything.

use axum::body::Bytes;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub version: i64,
    pub body: Option<Bytes>,
}

impl Entry {
    pub fn found(version: i64, body: impl Into<Bytes>) -> Self {
        Self {
            version,
            body: Some(body.into()),
        }
    }

    /// Nothing there, or nothing any more.
    pub fn absent(version: i64) -> Self {
        Self { version, body: None }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = format!("{}:", self.version).into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// None for what this program did not write: it is loaded again.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let colon = bytes.iter().take(20).position(|byte| *byte == b':')?;
        let version = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
        let body = Bytes::from(bytes).slice(colon + 1..);
        Some(Self {
            version,
            body: Some(body).filter(|body| !body.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        for entry in [Entry::found(7, "{\"a\":1}"), Entry::absent(0), Entry::absent(i64::MAX)] {
            assert_eq!(Entry::decode(entry.encode()), Some(entry));
        }
        for strange in ["", "7", "x:", "{\"a\":1}", "12345678901234567890123:"] {
            assert_eq!(Entry::decode(strange.as_bytes().to_vec()), None, "{strange}");
        }
    }
}
