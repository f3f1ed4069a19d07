//! Short digests of plain data: the same data gives the same digest on every machine and in every version.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The first 16 hex digits of SHA-256 over the JSON with sorted keys.
pub fn digest_of(value: &impl Serialize) -> String {
    // `Value` keeps objects in a BTreeMap, so going through it sorts the keys.
    digest_of_json(&serde_json::to_value(value).expect("plan data are maps with string keys"))
}

/// The same for what is JSON already, without copying it.
pub fn digest_of_json(value: &Value) -> String {
    let text = serde_json::to_vec(value).expect("a value has string keys");
    let hash = Sha256::digest(text);
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
