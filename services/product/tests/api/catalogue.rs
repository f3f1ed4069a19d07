//! The catalogue's service over real Postgres, with a Redis or without. The router is called in process, so that no
//! port has to be waited for; waits are generous, because a loaded machine is slow, not broken.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use prometheus::Registry;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_config::{HostPort, Secret};
use shop_kit_http::Face;
use shop_kit_postgres::{Pool, Reads};
use shop_kit_telemetry::Metrics;
use shop_kit_testbed::Redis;
use shop_kit_testshards::OneDatabase;
pub use shop_kit_testshards::PATIENCE;
use shop_kit_token::{Claims, Signer};
use shop_product::cache::{Cache, CacheMetrics, Entry, Kind, RedisCache};
use shop_product::config::RedisSettings;
use shop_product::images::NotConfigured;
use shop_product::router::{AppState, router};
use shop_product::search::PostgresSearch;
use shop_product::{MIGRATIONS_TABLE, migrator};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub const TIER: &str = "postgres/catalog";
/// Of each pool.
const CONNECTIONS: u32 = 4;

pub struct Catalogue {
    app: Router,
    signer: Signer,
    pub merchant: Uuid,
    pub pool: Pool,
    pub redis: RedisCache,
    pub cache: Cache,
    pub registry: Registry,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub location: Option<String>,
    pub replayed: bool,
}

impl Catalogue {
    pub async fn start(redis: &HostPort, password: &str) -> Self {
        Self::start_with(redis, password, false, None).await
    }

    pub async fn start_with(redis: &HostPort, password: &str, cluster: bool, replica: Option<Pool>) -> Self {
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
        let registry = Registry::new();
        let reads = Reads::new(pool.clone(), replica);
        let signer = Signer::from_seed("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let state = AppState {
            catalog: pool.clone(),
            reads: reads.clone(),
            cache: Cache::new(Some(redis.clone()), CacheMetrics::new(&registry).unwrap()),
            search: Arc::new(PostgresSearch::new(reads, CONNECTIONS)),
            images: Arc::new(NotConfigured),
            verifier: signer.verifier(),
        };
        Self {
            cache: state.cache.clone(),
            app: face.around(router(state)),
            signer,
            merchant: Uuid::now_v7(),
            pool,
            redis,
            registry,
        }
    }

    /// With a Redis that answers. Each test has a database and products of its own, so they may share the server; lists
    /// are not apart, so tests of lists go without Redis.
    pub async fn cached() -> Self {
        let server = Redis::shared().await.unwrap();
        let at = HostPort {
            host: server.host(),
            port: server.port(),
        };
        let this = Self::start(&at, server.password()).await;
        until("Redis is in use", || this.redis.is_good()).await;
        this
    }

    /// With a Redis nothing listens at.
    pub async fn uncached() -> Self {
        Self::start(&nowhere(), "none").await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.ask("GET", path, None, None, &[]).await;
        (answer.status, answer.body)
    }

    /// As a merchant.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask(method, path, Some(Role::Merchant), Some(body), &[]).await
    }

    /// With a role, or without a token.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        role: Option<Role>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(role) = role {
            request = request.header("authorization", format!("Bearer {}", self.token(role)));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let response = self.app.clone().oneshot(request.unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        let header = |name: &str| {
            let value = parts.headers.get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (location, replayed) = (header("location"), header("idempotency-replayed").is_some());
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            location,
            replayed,
        }
    }

    /// A product of its own; its id.
    pub async fn create(&self, change: Value) -> Uuid {
        let mut new = json!({"name": "Kettle", "description": "Boils.", "price_cents": 100, "currency": "EUR"});
        for (key, value) in change.as_object().unwrap() {
            new[key] = value.clone();
        }
        let made = self.send("POST", "/api/v1/products", new).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["id"].as_str().unwrap().parse().unwrap()
    }

    /// Past the service, as a pod of the version before would.
    pub async fn insert(&self, id: Uuid, name: &str) {
        insert(&self.pool, id, name).await;
    }

    /// What Redis holds of a product.
    pub async fn held(&self, id: Uuid) -> Option<Entry> {
        self.cache.known(Kind::Product, &[id.to_string()]).await.remove(0)
    }

    /// A counter of this service, 0 when it was never raised.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|family| family.name() == name);
        let mut metrics = metrics.flat_map(|family| family.get_metric());
        let found = metrics.find(|metric| {
            let has = |(name, value): &(&str, &str)| {
                let mut pairs = metric.get_label().iter();
                pairs.any(|pair| pair.name() == *name && pair.value() == *value)
            };
            labels.iter().all(has)
        });
        found.map_or(0.0, |metric| metric.get_counter().get_value())
    }

    fn token(&self, role: Role) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.signer
            .sign(&Claims::new(self.merchant, false, now).with_role(role))
    }
}

pub fn nowhere() -> HostPort {
    HostPort {
        host: "127.0.0.1".to_owned(),
        port: 1,
    }
}

pub async fn database() -> Pool {
    let migrations: (fn() -> sqlx::migrate::Migrator, &'static str) = (migrator, MIGRATIONS_TABLE);
    // Twice: the second time there is nothing to do.
    let mut database = OneDatabase::start(&[migrations, migrations]).await.unwrap();
    database.timeouts.connections = CONNECTIONS;
    database.pool(TIER)
}

pub async fn insert(pool: &Pool, id: Uuid, name: &str) {
    sqlx::query(
        "insert into products (id, name, description, price_cents, currency) values ($1, $2, 'text', 100, 'EUR')",
    )
    .bind(id)
    .bind(name)
    .execute(pool.executor())
    .await
    .unwrap();
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
