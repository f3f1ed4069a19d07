//! What the process remembers about each shop between two passes: what it applied, how tasks went, what the datastores
//! said last. All of it can be lost at any moment and is then found out again; nothing here is the truth about anything.

use crate::cache::{ObjectKey, ShopKey};
use crate::retry::Backoff;
use shop_plan::Seen;
use shop_plan::observed::{PatroniView, ProofView, RabbitView, RedisView, ShardId, TaskOutcome};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the datastores answered, and when they were asked.
#[derive(Clone, Debug)]
pub struct Views {
    pub postgres: BTreeMap<ShardId, Seen<PatroniView>>,
    pub redis: Seen<RedisView>,
    pub rabbitmq: Seen<RabbitView>,
}

impl Default for Views {
    fn default() -> Self {
        let why = || "not asked yet".to_owned();
        Self {
            postgres: BTreeMap::new(),
            redis: Seen::Unknown(why()),
            rabbitmq: Seen::Unknown(why()),
        }
    }
}

/// What is known of a generated Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretValues {
    pub resource_version: String,
    /// The keys that version has.
    pub present: BTreeSet<String>,
    /// Their values, and the last ones of keys it has lost.
    pub values: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Shop {
    /// Fingerprint of what was applied and the version the object had then.
    pub applied: HashMap<ObjectKey, (u64, String)>,
    pub secrets: HashMap<String, SecretValues>,
    pub views: Views,
    pub views_read: Option<Instant>,
    pub reading_views: bool,
    /// Pods came or went since the views were read.
    pub pods_changed: bool,
    pub proof: Option<ProofView>,
    pub proved: Option<Instant>,
    pub done: BTreeMap<String, TaskOutcome>,
    /// Key → digest of the tasks that run now.
    pub running: HashMap<String, String>,
    /// Key → digest and the instant before which a failed task is not tried again.
    pub held: HashMap<String, (String, Instant, Backoff)>,
    pub backoff: Backoff,
    pub events: HashSet<(String, String)>,
    /// Digest of the pods last seen, to notice that they came or went.
    pub pods: String,
    /// Of a deleted shop: since when nothing of it runs and nothing it left was found.
    pub last_trace: Option<Instant>,
}

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

impl Default for Shop {
    fn default() -> Self {
        Self {
            applied: HashMap::new(),
            secrets: HashMap::new(),
            views: Views::default(),
            views_read: None,
            reading_views: false,
            pods_changed: true,
            proof: None,
            proved: None,
            done: BTreeMap::new(),
            running: HashMap::new(),
            held: HashMap::new(),
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            events: HashSet::new(),
            pods: String::new(),
            last_trace: None,
        }
    }
}

/// Shared by the pass and the background work of one shop; the lock is never held across an await.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Shop>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Shop> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<ShopKey, (String, Shared)>>);

impl Memory {
    /// The memory of a shop. A shop of the same name but another uid starts with an empty one.
    pub fn of(&self, key: &ShopKey, uid: &str) -> Shared {
        let mut shops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, shared) = shops.entry(key.clone()).or_default();
        if known != uid {
            uid.clone_into(known);
            *shared = Shared::default();
        }
        shared.clone()
    }

    pub fn forget(&self, key: &ShopKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_shop_of_the_same_name_inherits_nothing() {
        let memory = Memory::default();
        let key = ShopKey {
            namespace: "default".into(),
            name: "demo".into(),
        };
        memory.of(&key, "first").lock().pods = "some".into();
        assert_eq!(memory.of(&key, "first").lock().pods, "some");
        assert_eq!(memory.of(&key, "second").lock().pods, "");
    }
}
