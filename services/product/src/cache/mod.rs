//! Cache-aside: Redis first, else the loader, whose answer is kept for next time. What does not exist is kept too, for
//! a shorter time. Concurrent misses of one key load once. A cache that is down costs nothing but the loads.

mod flight;
mod redis;

pub use redis::RedisCache;

use flight::Flights;
use prometheus::{IntCounterVec, Opts, Registry};
use rand::RngExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_kit_postgres::StoreError;
use std::time::Duration;

/// What Redis keeps, and how long: each entry gets up to a tenth more or less, so that they do not all end at once.
const FOUND: Duration = Duration::from_secs(300);
const ABSENT: Duration = Duration::from_secs(30);

pub struct Cache<T> {
    redis: RedisCache,
    flights: Flights<Option<T>>,
    reads: IntCounterVec,
}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Cache<T> {
    pub fn new(redis: RedisCache, registry: &Registry) -> prometheus::Result<Self> {
        let reads = IntCounterVec::new(
            Opts::new("shop_cache_reads_total", "Reads by outcome: hit, miss, down"),
            &["outcome"],
        )?;
        registry.register(Box::new(reads.clone()))?;
        Ok(Self {
            redis,
            flights: Flights::default(),
            reads,
        })
    }

    /// The value of `key`, or what `load` finds. `None` is "does not exist".
    pub async fn get<F>(&self, key: &str, load: F) -> Result<Option<T>, StoreError>
    where
        F: Future<Output = Result<Option<T>, StoreError>> + Send + 'static,
    {
        let cached = self.redis.get(key).await;
        let known = cached
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .and_then(|bytes| serde_json::from_slice(bytes).ok());
        let outcome = match (&cached, &known) {
            (_, Some(_)) => "hit",
            (Ok(_), None) => "miss",
            (Err(_), None) => "down",
        };
        self.reads.with_label_values(&[outcome]).inc();
        if let Some(value) = known {
            return Ok(value);
        }
        let (redis, name) = (self.redis.clone(), key.to_owned());
        let flight = async move {
            let value = load.await?;
            let life = jittered(if value.is_some() { FOUND } else { ABSENT });
            if let Ok(bytes) = serde_json::to_vec(&value) {
                redis.put(&name, bytes, life).await;
            }
            Ok(value)
        };
        self.flights.join(key, flight).await
    }
}

fn jittered(life: Duration) -> Duration {
    life.mul_f64(rand::rng().random_range(0.9..1.1))
}
