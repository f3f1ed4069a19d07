//! Reads through Redis: one server, a cluster, none, and one that ends.

use crate::catalogue::{Catalogue, PATIENCE, until};
use serde_json::json;
use shop_kit_config::HostPort;
use shop_kit_testbed::{Redis, RedisCluster};
use shop_product::cache::{Entry, Kind};
use std::time::Duration;

#[tokio::test]
async fn a_product_is_read_from_the_cache_once_it_was_seen() {
    let shop = Catalogue::cached().await;
    let id = uuid::Uuid::now_v7();
    shop.insert(id, "Kettle").await;
    let path = format!("/api/v1/products/{id}");
    assert_eq!(shop.get(&path).await.1["name"], json!("Kettle"));
    sqlx::query("update products set name = 'changed'")
        .execute(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(shop.get(&path).await.1["name"], json!("Kettle"));
}

#[tokio::test]
async fn what_does_not_exist_is_remembered_too() {
    let shop = Catalogue::cached().await;
    let id = uuid::Uuid::now_v7();
    let path = format!("/api/v1/products/{id}");
    assert_eq!(shop.get(&path).await.0, 404);
    assert_eq!(shop.held(id).await, Some(Entry::absent(0)));
    assert_eq!(shop.get(&path).await.0, 404);
    let reads = |outcome| shop.counter("shop_cache_reads_total", &[("cache", "product"), ("outcome", outcome)]);
    assert_eq!((reads("miss"), reads("negative"), reads("hit")), (1.0, 2.0, 0.0));
    // It is made a moment later: nobody is told any more that it does not exist.
    let made = shop.create(json!({})).await;
    assert_eq!(shop.get(&format!("/api/v1/products/{made}")).await.0, 200);
}

#[tokio::test]
async fn without_redis_products_come_from_postgres() {
    let shop = Catalogue::uncached().await;
    let id = uuid::Uuid::now_v7();
    shop.insert(id, "Kettle").await;
    let path = format!("/api/v1/products/{id}");
    for name in ["Kettle", "changed"] {
        assert_eq!(shop.get(&path).await.1["name"], json!(name));
        sqlx::query("update products set name = 'changed'")
            .execute(shop.pool.executor())
            .await
            .unwrap();
    }
    assert!(!shop.redis.is_good());
}

/// Two servers with half of the slots each: one seed is enough to find every key.
#[tokio::test]
async fn a_redis_cluster_is_found_from_one_seed() {
    let servers = RedisCluster::start(2).await.unwrap();
    join(&servers).await;
    let seed = HostPort {
        host: servers.ips()[0].clone(),
        port: servers.port(),
    };
    let shop = Catalogue::start_with(&seed, servers.password(), true, None).await;
    until("Redis is in use", || shop.redis.is_good()).await;
    for _ in 0..20 {
        let id = uuid::Uuid::now_v7();
        assert_eq!(shop.get(&format!("/api/v1/products/{id}")).await.0, 404);
        assert_eq!(shop.held(id).await, Some(Entry::absent(0)));
        assert_eq!(
            shop.cache
                .known(Kind::Product, &[id.to_string(), "none".to_owned()])
                .await
                .len(),
            2
        );
    }
}

async fn join(servers: &RedisCluster) {
    let (user, password, port) = (servers.user(), servers.password(), servers.port());
    let mut connections = Vec::new();
    for ip in servers.ips() {
        let client = redis::Client::open(format!("redis://{user}:{password}@{ip}:{port}/")).unwrap();
        connections.push(client.get_multiplexed_async_connection().await.unwrap());
    }
    for (connection, slots) in connections.iter_mut().zip([(0, 8_191), (8_192, 16_383)]) {
        ask::<()>(
            connection,
            &["ADDSLOTSRANGE", &slots.0.to_string(), &slots.1.to_string()],
        )
        .await;
    }
    let (other, begun) = (servers.ips()[1].clone(), std::time::Instant::now());
    loop {
        let mut states = Vec::new();
        for connection in &mut connections {
            states.push(ask::<String>(connection, &["INFO"]).await);
        }
        let formed = |state: &String| state.contains("cluster_state:ok") && state.contains("slots_assigned:16384");
        if states.iter().all(formed) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "the cluster does not form: {states:?}");
        // A server forgets a meeting that takes longer than its node timeout, so it is asked again.
        if states[0].contains("known_nodes:1") {
            ask::<()>(&mut connections[0], &["MEET", &other, &port.to_string()]).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn ask<T: redis::FromRedisValue>(connection: &mut redis::aio::MultiplexedConnection, words: &[&str]) -> T {
    redis::cmd("CLUSTER").arg(words).query_async(connection).await.unwrap()
}

#[tokio::test]
async fn a_redis_that_ends_is_left_alone_and_the_shop_goes_on() {
    let server = Redis::start().await.unwrap();
    let at = HostPort {
        host: server.host(),
        port: server.port(),
    };
    let shop = Catalogue::start(&at, server.password()).await;
    until("Redis is in use", || shop.redis.is_good()).await;
    let id = uuid::Uuid::now_v7();
    shop.insert(id, "Kettle").await;
    let path = format!("/api/v1/products/{id}");
    assert_eq!(shop.get(&path).await.0, 200);
    drop(server);
    for _ in 0..3 {
        assert_eq!(shop.get(&path).await.0, 200);
    }
    assert!(!shop.redis.is_good());
}
