//! A shard that is away holds up nobody, and is migrated when it is back.

use serde_json::Value;
use shop_kit_postgres::{Pool, ShardedPool, migrate_rest, migrate_shards};
use shop_kit_testshards::{PATIENCE, TwoShards};
use sqlx::migrate::Migrator;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const TABLE: &str = "_migrations_test";
const AWAY: Duration = Duration::from_secs(2);

fn migrator() -> Migrator {
    sqlx::migrate!("./tests/migrations")
}

/// Whether the migration was made in each shard.
async fn migrated(two: &TwoShards) -> Vec<bool> {
    let map = ShardedPool::read_map(&two.settings.shard_map).expect("the map was written before");
    let mut all = Vec::new();
    for shard in map.shards {
        let pool = Pool::lazy("test", &shard.primary, &two.settings.credentials, two.settings.timeouts);
        let found = sqlx::query_scalar("select to_regclass('shop_test') is not null");
        all.push(found.fetch_one(pool.executor()).await.expect("the shard answers"));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_away_is_migrated_when_it_is_back() {
    let two = TwoShards::start(&[]).await.unwrap();
    let whole = std::fs::read_to_string(&two.settings.shard_map).unwrap();
    // A server that hangs up on everybody.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut map: Value = serde_json::from_str(&whole).unwrap();
    map["shards"][1]["primary"]["port"] = nobody.local_addr().unwrap().port().into();
    tokio::spawn(async move { while nobody.accept().await.is_ok() {} });
    std::fs::write(&two.settings.shard_map, map.to_string()).unwrap();

    let deadline = Instant::now() + PATIENCE;
    migrate_shards(&two.settings, migrator, TABLE, AWAY, deadline)
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let rest = tokio::spawn(migrate_rest(two.settings.clone(), migrator, TABLE, stop));
    std::fs::write(&two.settings.shard_map, &whole).unwrap();
    assert!(migrated(&two).await[0]);
    tokio::time::timeout(PATIENCE, rest).await.unwrap().unwrap();
    assert_eq!(migrated(&two).await, [true, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_shard_nothing_is_well() {
    let two = TwoShards::start(&[]).await.unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let whole = std::fs::read_to_string(&two.settings.shard_map).unwrap();
    let mut map: Value = serde_json::from_str(&whole).unwrap();
    for shard in 0..2 {
        map["shards"][shard]["primary"]["port"] = nobody.local_addr().unwrap().port().into();
    }
    tokio::spawn(async move { while nobody.accept().await.is_ok() {} });
    std::fs::write(&two.settings.shard_map, map.to_string()).unwrap();
    let failed = migrate_shards(&two.settings, migrator, TABLE, AWAY, Instant::now() + 2 * AWAY).await;
    let words = failed.unwrap_err();
    assert!(
        words.contains("postgres/orders/0") && words.contains("postgres/orders/1"),
        "{words}"
    );
}
