//! The shards of `orders`. In: the shard map's file, read again whenever it changes. Out: the shard of a customer.
//! Never goes back to a lower generation; a map that cannot be read leaves the last good one in force.

use crate::map_file::{MapFile, POLL};
use crate::{OrdersSettings, Pool, StoreError};
use shop_contract::bucket::{Bucket, bucket_of, bucket_of_key};
use shop_contract::shard_map::{Address, ShardMap};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One shard and its pool.
#[derive(Clone, Debug)]
pub struct Shard {
    pub index: u16,
    pub pool: Pool,
}

/// Cloning shares everything.
#[derive(Clone)]
pub struct ShardedPool {
    settings: Arc<OrdersSettings>,
    routes: Arc<RwLock<Routes>>,
}

struct Routes {
    map: ShardMap,
    pools: BTreeMap<u16, (Address, Pool)>,
}

impl ShardedPool {
    /// Reads the map, which has to be there, and watches it until `stop`.
    pub fn open(settings: OrdersSettings, stop: CancellationToken) -> Result<Self, String> {
        let file = MapFile::new(&settings.shard_map);
        let map = file.read()?;
        let pools = pools_for(&map, &BTreeMap::new(), &settings);
        let routes = Arc::new(RwLock::new(Routes { map, pools }));
        let this = Self {
            settings: Arc::new(settings),
            routes,
        };
        tokio::spawn(this.clone().watch(file, stop));
        Ok(this)
    }

    /// The map's primary addresses, for migrations.
    pub fn read_map(path: &Path) -> Result<ShardMap, String> {
        MapFile::new(path).read()
    }

    /// The shard a customer lies in.
    pub fn of_user(&self, user: Uuid) -> Result<Shard, StoreError> {
        self.of_bucket(bucket_of(user))
    }

    /// The shard of any other key, such as an e-mail address.
    pub fn of_key(&self, key: &[u8]) -> Result<Shard, StoreError> {
        self.of_bucket(bucket_of_key(key))
    }

    pub fn all(&self) -> Vec<Shard> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes
            .pools
            .iter()
            .map(|(index, (_, pool))| Shard {
                index: *index,
                pool: pool.clone(),
            })
            .collect()
    }

    /// A shard by its index, when the map still has it.
    pub fn get(&self, index: u16) -> Option<Shard> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.pools.get(&index).map(|(_, pool)| Shard {
            index,
            pool: pool.clone(),
        })
    }

    pub fn generation(&self) -> u64 {
        self.routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .map
            .generation
    }

    fn of_bucket(&self, bucket: Bucket) -> Result<Shard, StoreError> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let index = routes.map.shard_of(bucket).map(|shard| shard.index);
        let found = index.and_then(|index| routes.pools.get(&index).map(|(_, pool)| (index, pool.clone())));
        found
            .map(|(index, pool)| Shard { index, pool })
            .ok_or_else(|| StoreError::Unavailable {
                tier: "postgres/orders".into(),
                detail: format!("bucket {} is in no shard of the map", bucket.0),
            })
    }

    async fn watch(self, mut file: MapFile, stop: CancellationToken) {
        let mut tick = tokio::time::interval(POLL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            match file.changed() {
                Ok(None) => {}
                Ok(Some(map)) => self.take(map),
                Err(error) => tracing::error!("{error}; the last good map stays in force"),
            }
        }
    }

    /// Takes a newer map; pools of unmoved shards stay.
    fn take(&self, map: ShardMap) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if map.generation < routes.map.generation {
            let (new, now) = (map.generation, routes.map.generation);
            tracing::warn!(new, now, "shard map of a lower generation ignored");
            return;
        }
        routes.pools = pools_for(&map, &routes.pools, &self.settings);
        tracing::info!(
            generation = map.generation,
            shards = map.shards.len(),
            "shard map taken"
        );
        routes.map = map;
    }
}

fn pools_for(
    map: &ShardMap,
    known: &BTreeMap<u16, (Address, Pool)>,
    settings: &OrdersSettings,
) -> BTreeMap<u16, (Address, Pool)> {
    let pool_for = |shard: &shop_contract::shard_map::Shard| match known.get(&shard.index) {
        Some((address, pool)) if *address == shard.pooler => pool.clone(),
        _ => {
            let tier = format!("postgres/orders/{}", shard.index);
            Pool::lazy(&tier, &shard.pooler, &settings.credentials, settings.timeouts)
        }
    };
    map.shards
        .iter()
        .map(|shard| (shard.index, (shard.pooler.clone(), pool_for(shard))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Timeouts};
    use shop_kit_config::Secret;
    use std::time::{Duration, Instant};

    fn map(generation: u64, shards: u16) -> String {
        let at = |port| Address {
            host: "127.0.0.1".to_owned(),
            port,
        };
        let map = ShardMap::even(generation, shards, |index| (at(10 + index), at(20 + index)));
        serde_json::to_string(&map).unwrap()
    }

    async fn until(what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(60), "not within 60 s: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_newer_map_is_taken_and_an_older_or_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard-map.json");
        std::fs::write(&path, map(2, 1)).unwrap();
        let credentials = Credentials {
            database: "orders".into(),
            user: "orders".into(),
            password: Secret::new("x"),
        };
        let settings = OrdersSettings {
            credentials,
            shard_map: path.clone(),
            timeouts: Timeouts::default(),
        };
        let shards = ShardedPool::open(settings, CancellationToken::new()).unwrap();
        assert_eq!((shards.generation(), shards.all().len()), (2, 1));

        std::fs::write(&path, map(3, 2)).unwrap();
        until("generation 3", || shards.generation() == 3).await;
        assert_eq!(shards.all().len(), 2);

        std::fs::write(&path, map(1, 4)).unwrap();
        std::fs::write(&path, "{").unwrap();
        std::fs::write(&path, map(4, 2)).unwrap();
        until("generation 4", || shards.generation() == 4).await;
        shards.take(ShardMap::parse(&map(3, 1)).unwrap());
        assert_eq!((shards.generation(), shards.all().len()), (4, 2));
        let shard = shards.of_user(Uuid::from_u128(7)).unwrap();
        assert_eq!(**shard.pool.tier(), *format!("postgres/orders/{}", shard.index));
    }

    #[tokio::test]
    async fn a_missing_map_is_named() {
        let error = ShardedPool::read_map(Path::new("/nowhere/shard-map.json")).unwrap_err();
        assert!(error.contains("/nowhere/shard-map.json"), "{error}");
    }
}
