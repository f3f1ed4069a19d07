//! The order service over two real shards, with a catalogue that answers as the test wants. Its router is called in
//! process, so that no port has to be waited for.
#![allow(dead_code)]

pub mod broker;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_kit_config::Secret;
use shop_kit_http::{ApiError, Face};
use shop_kit_postgres::ShardedPool;
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_kit_token::{Claims, Signer};
use shop_order::config::ApiConfig;
use shop_order::router::{AppState, router};
use shop_order::{MIGRATIONS_TABLE, migrator};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;
use uuid::Uuid;

pub const KEY: &str = "synthetic-key";
const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// 250 cents; the others of the stub: an unknown one, one whose catalogue is down, one in another currency.
pub const KETTLE: Uuid = Uuid::from_u128(0xa);
pub const LAMP: Uuid = Uuid::from_u128(0xb);
pub const UNKNOWN: Uuid = Uuid::from_u128(0xc);
pub const UNREADABLE: Uuid = Uuid::from_u128(0xd);
pub const FOREIGN: Uuid = Uuid::from_u128(0xe);

pub struct Shop {
    pub app: Router,
    pub pools: ShardedPool,
    pub two: TwoShards,
    catalogue: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shop {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let (pools, catalogue) = (two.open(), catalogue().await);
        Self {
            app: app(&two, pools.clone(), &catalogue),
            pools,
            two,
            catalogue,
        }
    }

    /// The same shop seen by a service that cannot reach a shard.
    pub async fn without(&self, shard: u16) -> Router {
        app(&self.two, self.two.open_without(shard).await.unwrap(), &self.catalogue)
    }

    /// The same shop, whose catalogue does not answer at all.
    pub fn without_catalogue(&self) -> Router {
        app(&self.two, self.pools.clone(), "http://127.0.0.1:1")
    }

    pub async fn place(&self, user: Uuid, lines: Value) -> Answer {
        place(&self.app, user, &[], lines).await
    }

    pub async fn get(&self, user: Uuid, path: &str) -> Answer {
        let request = Request::builder()
            .uri(path)
            .header("authorization", bearer(user, false));
        send(&self.app, request.body(Body::empty()).unwrap()).await
    }

    pub async fn count(&self, shard: u16, sql: &'static str) -> i64 {
        let pool = self.pools.get(shard).unwrap().pool;
        sqlx::query_scalar(sql).fetch_one(pool.executor()).await.unwrap()
    }

    /// Waits until the order has been accepted.
    pub async fn accepted(&self, user: Uuid, order: &str) {
        let begun = Instant::now();
        loop {
            let answer = self.get(user, &format!("/api/v1/orders/{order}")).await;
            if answer.body["status"] == "accepted" {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "order {order} was never accepted: {answer:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

pub fn line(product: Uuid, quantity: u32) -> Value {
    json!({"product_id": product, "quantity": quantity})
}

pub fn bearer(user: Uuid, synthetic: bool) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    format!(
        "Bearer {}",
        Signer::from_seed(SEED)
            .unwrap()
            .sign(&Claims::new(user, synthetic, now))
    )
}

pub async fn place(app: &Router, user: Uuid, headers: &[(&str, &str)], lines: Value) -> Answer {
    post(app, &bearer(user, false), headers, &json!({"lines": lines})).await
}

pub async fn post(app: &Router, bearer: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut request = Request::builder()
        .method("POST")
        .uri("/api/v1/orders")
        .header("content-type", "application/json");
    request = request.header("authorization", bearer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::from(body.to_string())).unwrap()).await
}

pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

fn app(two: &TwoShards, pools: ShardedPool, catalogue: &str) -> Router {
    let config = ApiConfig {
        orders: two.settings.clone(),
        verifier: Signer::from_seed(SEED).unwrap().verifier(),
        synthetic_key: Secret::new(KEY),
        product_url: catalogue.to_owned(),
    };
    let mut face = Face::new("order", Metrics::new("order").unwrap());
    face.deadline = PATIENCE;
    face.around(router(AppState::new(&config, pools, PATIENCE).unwrap()))
}

/// Listens before it returns, so that the first request finds it.
async fn catalogue() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Face::new("product", Metrics::new("product").unwrap())
        .around(Router::new().route("/api/v1/products/{id}", get(product)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn product(Path(id): Path<Uuid>) -> Response {
    let (price, currency) = match id {
        KETTLE => (250, "EUR"),
        LAMP => (1_000, "EUR"),
        FOREIGN => (100, "USD"),
        SYNTHETIC_PRODUCT => (100, "EUR"),
        UNREADABLE => return ApiError::unavailable("postgres/catalog", "does not answer").into_response(),
        _ => return ApiError::not_found("no such product").into_response(),
    };
    let body = json!({"id": id, "name": "x", "description": "x", "price_cents": price, "currency": currency});
    (StatusCode::OK, axum::Json(body)).into_response()
}
