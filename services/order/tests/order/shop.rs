//! The order service in process, so that no port has to be waited for.

use crate::stage::Stage;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use prometheus::Registry;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_config::Secret;
use shop_kit_http::Face;
use shop_kit_postgres::{Pool, ShardedPool};
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_kit_token::{Claims, Signer};
use shop_order::config::ApiConfig;
use shop_order::router::{AppState, router};
use shop_order::{MIGRATIONS_TABLE, migrator};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;
use uuid::Uuid;

pub const KEY: &str = "synthetic-key";
const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub struct Shop {
    pub app: Router,
    pub pools: ShardedPool,
    pub two: TwoShards,
    pub stage: Stage,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Where an order may be sent, with other fields.
pub fn address(change: Value) -> Value {
    let mut address = json!({"recipient": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115",
        "country": "DE"});
    let fields = address.as_object_mut().unwrap();
    fields.extend(change.as_object().unwrap().clone());
    address
}

impl Shop {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let (pools, stage) = (two.open(), Stage::open().await);
        let app = face(state(&two, pools.clone(), &stage.url, &stage.url));
        Self { app, pools, two, stage }
    }

    /// The same shop over other connections, or with neighbours at other addresses.
    pub fn state(&self, pools: ShardedPool, product: &str, inventory: &str) -> AppState {
        state(&self.two, pools, product, inventory)
    }

    pub fn pool(&self, shard: u16) -> Pool {
        self.pools.get(shard).unwrap().pool
    }

    pub async fn count(&self, shard: u16, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.pool(shard).executor())
            .await
            .unwrap()
    }

    pub async fn run(&self, shard: u16, sql: &'static str) -> u64 {
        let done = sqlx::query(sql).execute(self.pool(shard).executor()).await.unwrap();
        done.rows_affected()
    }

    pub async fn place(&self, user: Uuid, lines: Value) -> Answer {
        place(&self.app, user, &[], lines).await
    }

    /// An order of one kettle.
    pub async fn order(&self, user: Uuid) -> Uuid {
        let placed = self.place(user, json!([line(crate::stage::KETTLE, 1)])).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        placed.id()
    }

    pub async fn get(&self, user: Uuid, path: &str) -> Answer {
        call(&self.app, "GET", path, &bearer(user, Role::Customer), &[], None).await
    }

    /// Waits until an order of this customer has a status.
    pub async fn until(&self, user: Uuid, order: Uuid, status: &str) {
        let last = eventually(async || {
            let answer = self.get(user, &format!("/api/v1/orders/{order}")).await;
            if answer.body["status"] == status {
                Ok(())
            } else {
                Err(answer)
            }
        });
        last.await
            .unwrap_or_else(|answer| panic!("order {order} never was {status}: {answer:?}"));
    }
}

impl Answer {
    pub fn id(&self) -> Uuid {
        self.body["id"].as_str().unwrap().parse().unwrap()
    }

    pub fn kind(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:shop:problem:").unwrap_or(kind)
    }

    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}

/// Tries until it succeeds; the last failure after a deadline.
pub async fn eventually<T, E>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match attempt().await {
            Err(error) if begun.elapsed() >= PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            done => return done,
        }
    }
}

pub fn line(product: Uuid, quantity: u32) -> Value {
    json!({"product_id": product, "quantity": quantity})
}

pub fn of(lines: Value) -> Value {
    json!({"lines": lines, "payment_token": "tok_ok"})
}

pub fn bearer(user: Uuid, role: Role) -> String {
    token(Claims::new(user, false, now()).with_role(role))
}

pub fn synthetic(user: Uuid) -> String {
    token(Claims::new(user, true, now()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn token(claims: Claims) -> String {
    format!("Bearer {}", Signer::from_seed(SEED).unwrap().sign(&claims))
}

pub async fn place(app: &Router, user: Uuid, headers: &[(&str, &str)], lines: Value) -> Answer {
    post(app, &bearer(user, Role::Customer), headers, &of(lines)).await
}

pub async fn post(app: &Router, bearer: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    call(app, "POST", "/api/v1/orders", bearer, headers, Some(body)).await
}

pub async fn call(
    app: &Router,
    method: &str,
    path: &str,
    bearer: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !bearer.is_empty() {
        request = request.header("authorization", bearer);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let content = match body {
        None => Body::empty(),
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
    };
    let response = app.clone().oneshot(request.body(content).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

fn state(two: &TwoShards, pools: ShardedPool, product: &str, inventory: &str) -> AppState {
    let config = ApiConfig {
        orders: two.settings.clone(),
        verifier: Signer::from_seed(SEED).unwrap().verifier(),
        synthetic_key: Secret::new(KEY),
        product_url: product.to_owned(),
        inventory_url: inventory.to_owned(),
    };
    AppState::new(&config, pools, &Registry::new(), PATIENCE).unwrap()
}

pub fn face(state: AppState) -> Router {
    let mut face = Face::new("order", Metrics::new("order").unwrap());
    face.deadline = PATIENCE;
    face.around(router(state))
}
