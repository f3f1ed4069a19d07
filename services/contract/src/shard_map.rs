//! The shard map: which bucket lies in which shard of `orders`, and where that shard answers.
//! The operator publishes it as JSON in one ConfigMap; services mount it, watch the file and route by it.

use crate::bucket::{BUCKETS, Bucket};
use serde::{Deserialize, Serialize};

/// The key of the ConfigMap and the name of the mounted file.
pub const FILE: &str = "shard-map.json";
/// The folder a service mounts the ConfigMap at.
pub const MOUNT_PATH: &str = "/etc/shop/shard-map";
/// The layout of the document; a reader refuses one it does not know.
pub const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardMap {
    pub format: u32,
    /// Grows by one with every change of the assignment; a reader never goes back to a lower one.
    pub generation: u64,
    pub buckets: u16,
    pub shards: Vec<Shard>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shard {
    pub index: u16,
    /// Inclusive ranges of buckets.
    pub buckets: Vec<(u16, u16)>,
    /// PgBouncer in front of the primary: ordinary statements.
    pub pooler: Address,
    /// The primary itself: migrations and whatever needs a session.
    pub primary: Address,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShardMapError {
    #[error("shard map: format {0} is not known here (known: {FORMAT}): update this program")]
    Format(u32),
    #[error("shard map: {0} buckets where {BUCKETS} are expected")]
    Buckets(u16),
    #[error("shard map: bucket {0} belongs to no shard")]
    Unassigned(u16),
    #[error("shard map: bucket {0} belongs to two shards")]
    AssignedTwice(u16),
    #[error("shard map: not JSON of the known layout: {0}")]
    Layout(String),
}

impl ShardMap {
    /// Buckets in equal, adjacent ranges over `count` shards.
    pub fn even(generation: u64, count: u16, address: impl Fn(u16) -> (Address, Address)) -> Self {
        let count = count.max(1);
        let edge = |index: u16| (u32::from(index) * u32::from(BUCKETS) / u32::from(count)) as u16;
        let shards = (0..count)
            .map(|index| {
                let (pooler, primary) = address(index);
                Shard {
                    index,
                    buckets: vec![(edge(index), edge(index + 1) - 1)],
                    pooler,
                    primary,
                }
            })
            .collect();
        Self {
            format: FORMAT,
            generation,
            buckets: BUCKETS,
            shards,
        }
    }

    /// Reads and checks a document.
    pub fn parse(text: &str) -> Result<Self, ShardMapError> {
        let map: Self = serde_json::from_str(text).map_err(|error| ShardMapError::Layout(error.to_string()))?;
        map.check()?;
        Ok(map)
    }

    /// Every bucket in exactly one shard.
    pub fn check(&self) -> Result<(), ShardMapError> {
        if self.format != FORMAT {
            return Err(ShardMapError::Format(self.format));
        }
        if self.buckets != BUCKETS {
            return Err(ShardMapError::Buckets(self.buckets));
        }
        for bucket in 0..BUCKETS {
            match self.shards.iter().filter(|shard| shard.holds(Bucket(bucket))).count() {
                0 => return Err(ShardMapError::Unassigned(bucket)),
                1 => {}
                _ => return Err(ShardMapError::AssignedTwice(bucket)),
            }
        }
        Ok(())
    }

    /// The shard that holds a bucket; `None` only for a map that did not pass [`ShardMap::check`].
    pub fn shard_of(&self, bucket: Bucket) -> Option<&Shard> {
        self.shards.iter().find(|shard| shard.holds(bucket))
    }
}

impl Shard {
    pub fn holds(&self, bucket: Bucket) -> bool {
        self.buckets
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&bucket.0))
    }
}
