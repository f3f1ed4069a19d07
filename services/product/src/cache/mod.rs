//! Cache-aside: Redis first, else the loader, whose answer is kept for next time. What does not exist is kept too, for
//! a shorter time. Concurrent misses of one key load once. A cache that is down costs nothing but the loads.
//!
//! Entries carry their product's version and never give way to an older one. So a change written through holds against
//! a load that began before it and ends after it. Entries live much longer ([`Kind::Product`]) than a load may be late
//! ([`LATEST`]), so the newer one is still there to hold.
//!
//! Single products are also remembered in the process itself, for a second ([`NEAR_LIFE`]): that long a reader may see
//! what another process has changed since. A Redis that fails over may lose what was written last; so whoever charges a
//! price takes what [`Cache::known`] tells only for what the primary has nothing newer for.

mod entry;
mod flight;
mod metrics;
mod near;
mod redis;

pub use entry::Entry;
pub use metrics::CacheMetrics;
pub use near::LIFE as NEAR_LIFE;
pub use redis::{Down, RedisCache};

use flight::Flights;
use near::Near;
use rand::RngExt;
use shop_kit_postgres::StoreError;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A load that took longer fills nothing.
const LATEST: Duration = Duration::from_secs(20);
/// How long it is known that something does not exist.
const ABSENT: Duration = Duration::from_secs(30);

/// What is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One product, by id.
    Product,
    /// First pages of lists and searches; not invalidated, so they live only seconds.
    Page,
    /// Counts over everything found: dearer, and less often looked at closely.
    Facets,
    Categories,
}

/// Cloning shares everything.
#[derive(Clone)]
pub struct Cache {
    redis: Option<RedisCache>,
    near: Arc<Near>,
    flights: Arc<Flights<Entry>>,
    metrics: CacheMetrics,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Page => "page",
            Self::Facets => "facets",
            Self::Categories => "categories",
        }
    }

    fn life(self) -> Duration {
        Duration::from_secs(match self {
            Self::Product => 300,
            Self::Page => 5,
            Self::Facets => 60,
            Self::Categories => 60,
        })
    }
}

impl Cache {
    /// Without a Redis there is no cache at all: every read loads.
    pub fn new(redis: Option<RedisCache>, metrics: CacheMetrics) -> Self {
        Self {
            redis,
            near: Arc::default(),
            flights: Arc::default(),
            metrics,
        }
    }

    /// The entry of `key`, or what `load` finds.
    pub async fn get<F>(&self, kind: Kind, key: &str, load: F) -> Result<Entry, StoreError>
    where
        F: Future<Output = Result<Entry, StoreError>> + Send + 'static,
    {
        let Some(redis) = &self.redis else {
            self.metrics.loaded(kind);
            return load.await;
        };
        let (name, now) = (name(kind, key), Instant::now());
        if let Some(entry) = self.near.get(&name, now) {
            self.metrics.near(kind);
            return Ok(entry);
        }
        let cached = redis.get(&name).await;
        let down = cached.is_err();
        let known = cached.ok().flatten().and_then(Entry::decode);
        self.metrics.read(kind, down, known.as_ref());
        if let Some(entry) = known {
            // Its second began before Redis was asked: what changes from then on may be missing in the answer.
            self.remember(kind, &name, &entry, now);
            return Ok(entry);
        }
        let (this, at) = (self.clone(), name.clone());
        let flight = async move {
            this.metrics.loaded(kind);
            let begun = Instant::now();
            let entry = load.await?;
            Ok(this.keep(kind, &at, entry, begun).await)
        };
        let (entry, joined) = self.flights.join(&name, flight).await;
        if joined {
            self.metrics.saved(kind);
        }
        entry
    }

    /// What is known of many keys, in their order; None is a miss.
    pub async fn known(&self, kind: Kind, keys: &[String]) -> Vec<Option<Entry>> {
        let Some(redis) = &self.redis else {
            return vec![None; keys.len()];
        };
        let names: Vec<String> = keys.iter().map(|key| name(kind, key)).collect();
        let cached = redis.get_many(&names).await;
        let down = cached.is_err();
        let known: Vec<Option<Entry>> = match cached {
            Ok(values) => values.into_iter().map(|value| value.and_then(Entry::decode)).collect(),
            Err(Down) => vec![None; keys.len()],
        };
        for entry in &known {
            self.metrics.read(kind, down, entry.as_ref());
        }
        known
    }

    /// Fills what [`Cache::known`] missed or knew only an older one of; `begun` is when its load began. The newer of the two entries comes back.
    pub async fn fill(&self, kind: Kind, key: &str, entry: Entry, begun: Instant) -> Entry {
        self.metrics.loaded(kind);
        self.keep(kind, &name(kind, key), entry, begun).await
    }

    /// Writes a change through. Later readers see it or a newer one, unless Redis is away: then the change's event
    /// brings it once Redis is back.
    pub async fn put(&self, kind: Kind, key: &str, entry: &Entry) -> Result<(), Down> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let name = name(kind, key);
        // A load under way may have seen what was before; who asks from now on must not wait for that one.
        self.flights.leave(&name);
        self.remember(kind, &name, entry, Instant::now());
        redis.put_newer(&name, entry, life(kind, entry)).await.map(|_| ())
    }

    /// What never was is left to Redis: whoever asks for random ids must not push out what is wanted.
    fn remember(&self, kind: Kind, name: &str, entry: &Entry, now: Instant) {
        if kind == Kind::Product && entry.version > 0 {
            self.near.put(name, entry, now);
        }
    }

    async fn keep(&self, kind: Kind, name: &str, entry: Entry, begun: Instant) -> Entry {
        let Some(redis) = self.redis.as_ref().filter(|_| begun.elapsed() <= LATEST) else {
            return entry;
        };
        let kept = redis.put_newer(name, &entry, life(kind, &entry)).await;
        kept.ok().flatten().unwrap_or(entry)
    }
}

fn name(kind: Kind, key: &str) -> String {
    format!("{}:{key}", kind.name())
}

/// Up to a tenth more or less, so that entries made together do not all end together. A removed product is remembered
/// as long as one that is there: its version must outlive late loads.
fn life(kind: Kind, entry: &Entry) -> Duration {
    let never_was = entry.body.is_none() && entry.version == 0;
    let life = if never_was { ABSENT } else { kind.life() };
    life.mul_f64(rand::rng().random_range(0.9..1.1))
}
