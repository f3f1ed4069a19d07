//! The catalogue's service over real Postgres, with a Redis or without. The router is called in process, so that no
//! port has to be waited for; waits are generous, because a loaded machine is slow, not broken.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use prometheus::Registry;
use serde_json::Value;
use shop_contract::shard_map::Address;
use shop_kit_config::{HostPort, Secret};
use shop_kit_http::Face;
use shop_kit_postgres::{Credentials, Pool, Timeouts, migrate};
use shop_kit_telemetry::Metrics;
use shop_kit_testbed::{Postgres, Redis};
use shop_product::cache::RedisCache;
use shop_product::config::RedisSettings;
use shop_product::router::{AppState, router};
use shop_product::{MIGRATIONS_TABLE, migrator};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Catalogue {
    app: Router,
    pub pool: Pool,
    pub redis: RedisCache,
}

impl Catalogue {
    pub async fn start(redis: &HostPort, password: &str) -> Self {
        Self::start_with(redis, password, false).await
    }

    pub async fn start_with(redis: &HostPort, password: &str, cluster: bool) -> Self {
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
    pub async fn cached() -> Self {
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
    pub async fn uncached() -> Self {
        Self::start(
            &HostPort {
                host: "127.0.0.1".to_owned(),
                port: 1,
            },
            "none",
        )
        .await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn insert(&self, id: uuid::Uuid, name: &str) {
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

pub async fn until(what: &str, holds: impl Fn() -> bool) {
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
