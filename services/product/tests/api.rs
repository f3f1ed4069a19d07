//! What a customer sees of the catalogue, with real Postgres and Redis. The router is called in process, so that no
//! port has to be waited for; waits are generous, because a loaded machine is slow, not broken.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use prometheus::Registry;
use serde_json::{Value, json};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_contract::shard_map::Address;
use shop_kit_config::{HostPort, Secret};
use shop_kit_http::Face;
use shop_kit_postgres::{Credentials, Pool, Timeouts, migrate};
use shop_kit_telemetry::Metrics;
use shop_kit_testbed::{Postgres, Redis, RedisCluster};
use shop_product::cache::RedisCache;
use shop_product::config::RedisSettings;
use shop_product::job::seed::seed;
use shop_product::router::{AppState, router};
use shop_product::{MIGRATIONS_TABLE, migrator};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const PATIENCE: Duration = Duration::from_secs(120);

struct Catalogue {
    app: Router,
    pool: Pool,
    redis: RedisCache,
}

impl Catalogue {
    async fn start(redis: &HostPort, password: &str) -> Self {
        Self::start_with(redis, password, false).await
    }

    async fn start_with(redis: &HostPort, password: &str, cluster: bool) -> Self {
        let pool = database().await;
        let settings = RedisSettings {
            addresses: vec![redis.clone()],
            cluster,
            user: "shop".to_owned(),
            password: Secret::new(password),
        };
        let redis = RedisCache::start_with(settings, Duration::from_secs(20), CancellationToken::new());
        let mut face = Face::new("product", Metrics::new("product").unwrap());
        face.deadline = PATIENCE;
        let state = AppState::new(pool.clone(), redis.clone(), &Registry::new()).unwrap();
        Self {
            app: face.around(router(state)),
            pool,
            redis,
        }
    }

    /// With a Redis that answers. Each test has a database and products of its own, so they may share the server.
    async fn cached() -> Self {
        let server = Redis::shared().await.unwrap();
        let this = Self::start(
            &HostPort {
                host: server.host(),
                port: server.port(),
            },
            server.password(),
        )
        .await;
        until("Redis is in use", || this.redis.is_good()).await;
        this
    }

    /// With a Redis nothing listens at.
    async fn uncached() -> Self {
        Self::start(
            &HostPort {
                host: "127.0.0.1".to_owned(),
                port: 1,
            },
            "none",
        )
        .await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn insert(&self, id: uuid::Uuid, name: &str) {
        sqlx::query("insert into products values ($1, $2, 'text', 100, 'EUR', true)")
            .bind(id)
            .bind(name)
            .execute(self.pool.executor())
            .await
            .unwrap();
    }
}

async fn database() -> Pool {
    let server = Postgres::shared().await.unwrap();
    let url = server.fresh_database().await.unwrap();
    let database = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let user = server.superuser().to_owned();
    let credentials = Credentials {
        database,
        user,
        password: Secret::new(server.password()),
    };
    let at = Address {
        host: server.host().to_owned(),
        port: server.port(),
    };
    let timeouts = Timeouts {
        acquire: PATIENCE,
        statement: PATIENCE,
        connections: 4,
    };
    let (tier, deadline) = ("postgres/catalog", tokio::time::Instant::now() + PATIENCE);
    migrate(
        tier,
        &at,
        &credentials,
        timeouts,
        migrator(),
        MIGRATIONS_TABLE,
        deadline,
    )
    .await
    .unwrap();
    // Again: nothing to do.
    migrate(
        tier,
        &at,
        &credentials,
        timeouts,
        migrator(),
        MIGRATIONS_TABLE,
        deadline,
    )
    .await
    .unwrap();
    Pool::lazy(tier, &at, &credentials, timeouts)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {} s: {what}",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn pages_hold_every_listed_product_once() {
    let shop = Catalogue::uncached().await;
    assert_eq!(seed(&shop.pool, 25).await.unwrap(), 25);
    assert_eq!(seed(&shop.pool, 30).await.unwrap(), 5);
    let (mut seen, mut path) = (Vec::new(), "/api/v1/products?limit=7".to_owned());
    loop {
        let (status, page) = shop.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/products?limit=7&cursor={cursor}");
    }
    let different: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), different.len()), (30, 30));
    assert!(!seen.contains(&SYNTHETIC_PRODUCT.to_string()));
}

#[tokio::test]
async fn the_synthetic_product_is_found_by_id_only() {
    let shop = Catalogue::uncached().await;
    let (status, product) = shop.get(&format!("/api/v1/products/{SYNTHETIC_PRODUCT}")).await;
    assert_eq!((status, &product["price_cents"]), (200, &json!(100)));
    let (_, page) = shop.get("/api/v1/products").await;
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn bad_queries_are_refused_and_unknown_products_not_found() {
    let shop = Catalogue::uncached().await;
    let unknown = format!("/api/v1/products/{}", uuid::Uuid::now_v7());
    for (path, status) in [
        ("/api/v1/products?limit=0", 400),
        ("/api/v1/products?limit=101", 400),
        ("/api/v1/products?limit=many", 400),
        ("/api/v1/products?cursor=there", 400),
        ("/api/v1/products?offset=3", 400),
        ("/api/v1/products/seven", 404),
        (unknown.as_str(), 404),
        ("/api/v1/products/", 404),
    ] {
        let (got, body) = shop.get(path).await;
        assert_eq!((got, &body["status"]), (status, &json!(status)), "{path}: {body}");
    }
}

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
    let entry = shop.redis.get(&id.to_string()).await.unwrap();
    assert_eq!(entry.as_deref(), Some(b"null".as_slice()));
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
    let shop = Catalogue::start_with(&seed, servers.password(), true).await;
    until("Redis is in use", || shop.redis.is_good()).await;
    for _ in 0..20 {
        let id = uuid::Uuid::now_v7();
        assert_eq!(shop.get(&format!("/api/v1/products/{id}")).await.0, 404);
        let entry = shop.redis.get(&id.to_string()).await.unwrap();
        assert_eq!(entry.as_deref(), Some(b"null".as_slice()));
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

#[tokio::test]
async fn a_lost_database_is_named() {
    let shop = Catalogue::uncached().await;
    shop.pool.close().await;
    let (status, body) = shop.get("/api/v1/products").await;
    assert_eq!((status, &body["tier"]), (503, &json!("postgres/catalog")), "{body}");
}
