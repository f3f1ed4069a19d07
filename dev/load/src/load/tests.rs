//! The load generator against a stub of the shop that keeps or breaks its promises.

use super::run;
use crate::arguments::{Arguments, Verb};
use crate::history::{End, Promises};
use crate::order_log::{newest, read};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// What the stub remembers: orders by key, and how often each key came.
struct Stub {
    units: usize,
    orders: BTreeMap<String, Value>,
    asked: BTreeMap<String, u32>,
}

type Shared = State<Arc<Mutex<Stub>>>;

/// Fails every first attempt at a checkout after it had its effect, then answers.
async fn order(State(stub): Shared, headers: HeaderMap) -> (StatusCode, Json<Value>) {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let mut stub = stub.lock().unwrap();
    let sold = stub.orders.len();
    if !stub.orders.contains_key(&key) {
        if sold >= stub.units {
            return (
                StatusCode::CONFLICT,
                Json(json!({"type": "urn:shop:problem:out-of-stock"})),
            );
        }
        let lines = json!([{"product_id": Uuid::nil(), "quantity": 1, "price_cents": 5}]);
        let order = json!({"id": Uuid::now_v7(), "user_id": Uuid::nil(), "status": "placed", "total_cents": 5,
            "currency": "EUR", "shard": 0, "lines": lines, "created_at": "2026-01-01T00:00:00Z"});
        stub.orders.insert(key.clone(), order);
    }
    let times = stub.asked.entry(key.clone()).or_default();
    *times += 1;
    match *times {
        1 => (StatusCode::SERVICE_UNAVAILABLE, Json(Value::Null)),
        _ => (StatusCode::CREATED, Json(stub.orders[&key].clone())),
    }
}

async fn products() -> Json<Value> {
    Json(
        json!({"items": [{"id": Uuid::nil(), "name": "Lamp", "description": "", "price_cents": 5, "currency": "EUR"}]}),
    )
}

async fn user() -> (StatusCode, Json<Value>) {
    (
        StatusCode::CREATED,
        Json(json!({"id": Uuid::now_v7(), "email": "a@example.com", "name": "A"})),
    )
}

/// A shop that sells so many, whatever it was told to sell.
async fn shop(units: usize) -> String {
    let stub = Stub {
        units,
        orders: BTreeMap::new(),
        asked: BTreeMap::new(),
    };
    let router = Router::new()
        .route("/api/v1/products", get(products))
        .route(
            "/api/v1/stock/{id}",
            get(|| async { Json(json!({"on_hand": 0, "reserved": 0})) }),
        )
        .route("/api/v1/stock/{id}/restocks", post(|| async { StatusCode::CREATED }))
        .route("/api/v1/users", post(user))
        .route("/api/v1/orders", post(order))
        .with_state(Arc::new(Mutex::new(stub)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn go(base: &str, folder: &TempDir, more: &[&str]) -> bool {
    let folder = folder.path().to_str().unwrap();
    let common = [
        "shop-load",
        "--gateway",
        base,
        "--dir",
        folder,
        "--token-seed",
        SEED,
        "load",
    ];
    let arguments = Arguments::parse_from(common.iter().chain(more));
    let Verb::Load(load) = &arguments.verb else {
        panic!("another verb")
    };
    run(&arguments.access, load).await.unwrap()
}

const HOT: [&str; 8] = [
    "--scenario",
    "hot",
    "--checkouts",
    "40",
    "--users",
    "8",
    "--units",
    "10",
];

#[tokio::test]
async fn a_hot_product_that_is_sold_exactly_is_well_and_its_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(go(&shop(10).await, &folder, &HOT).await);
    let promises = Promises::of_log(read(&newest(folder.path()).unwrap()).unwrap());
    assert_eq!(
        (
            promises.acknowledged().count(),
            promises.checkouts.len(),
            promises.customers.len()
        ),
        (10, 40, 8)
    );
    assert!(
        !promises
            .checkouts
            .values()
            .any(|checkout| matches!(checkout.end, End::Open))
    );
}

#[tokio::test]
async fn one_unit_too_many_or_too_few_is_a_broken_promise() {
    for units in [9, 11] {
        let folder = tempfile::tempdir().unwrap();
        assert!(!go(&shop(units).await, &folder, &HOT).await, "{units}");
    }
}

#[tokio::test]
async fn what_fails_meanwhile_does_not_end_a_mixed_run() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = [
        "--for", "2s", "--rate", "40", "--users", "3", "--seed", "7", "--cancel", "0",
    ];
    assert!(
        go(&shop(1_000).await, &folder, &mixed).await,
        "half of the routes are not even there"
    );
    let promises = Promises::of_log(read(&newest(folder.path()).unwrap()).unwrap());
    assert!(promises.acknowledged().count() > 5, "{promises:?}");
}
