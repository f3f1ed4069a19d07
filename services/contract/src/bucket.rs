//! Virtual buckets: a customer belongs to a bucket for ever, a bucket belongs to a shard for now.
//! The hash is XXH64 with seed 0 over the 16 bytes of the customer's UUID, reduced to 1,024 buckets.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;
use uuid::Uuid;

/// How many buckets there are, in every shop, for ever. A power of two, so that buckets halve evenly.
pub const BUCKETS: u16 = 1024;

/// One of the [`BUCKETS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bucket(pub u16);

/// The bucket of a customer.
pub fn bucket_of(user: Uuid) -> Bucket {
    bucket_of_key(user.as_bytes())
}

/// The bucket of any other key, such as the hash of an e-mail address.
pub fn bucket_of_key(key: &[u8]) -> Bucket {
    let hash = XxHash64::oneshot(0, key);
    Bucket((hash % u64::from(BUCKETS)) as u16)
}
