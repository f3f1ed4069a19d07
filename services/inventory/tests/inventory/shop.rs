//! A database with stock, the service's router called in process, and what other services would send.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use prometheus::Registry;
use serde_json::{Value, json};
use shop_contract::api::{CancelReason, PricedLine, Role};
use shop_contract::event::{ORDER_CANCELLED, OrderEvent, PAYMENT_AUTHORIZED, PaymentEvent};
use shop_inventory::desk::{Desk, DeskMetrics, Rules};
use shop_inventory::job::follow::Follow;
use shop_inventory::reservation::Line;
use shop_inventory::router::{AppState, router};
use shop_inventory::store::reserve::Order;
use shop_inventory::store::slot;
use shop_inventory::{MIGRATIONS_TABLE, TIER, migrator};
use shop_kit_events::{HandleError, Handler, Message};
use shop_kit_http::Face;
use shop_kit_postgres::{Pool, Reads};
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{OneDatabase, PATIENCE};
use shop_kit_token::{Claims, Signer};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;
use uuid::Uuid;

const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const RESERVATIONS: &str = "/internal/v1/reservations";

pub struct Shop {
    pub app: Router,
    pub pool: Pool,
    pub database: OneDatabase,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shop {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    pub async fn start_with(replica: Option<Pool>) -> Self {
        let database = OneDatabase::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pool = database.pool(TIER);
        let state = AppState {
            pool: pool.clone(),
            reads: Reads::new(pool.clone(), replica),
            desk: desk(&pool, Rules::default()),
            verifier: Signer::from_seed(SEED).unwrap().verifier(),
        };
        let mut face = Face::new("inventory", Metrics::new("inventory").unwrap());
        face.deadline = PATIENCE;
        Self {
            app: face.around(router(state)),
            pool,
            database,
        }
    }

    /// Another process of the service: connections and a queue of its own.
    pub fn another_desk(&self) -> Desk {
        desk(&self.database.pool(TIER), Rules::default())
    }

    /// A new product with so many units in so many slots.
    pub async fn product(&self, units: i32, slots: i16) -> Uuid {
        let product = Uuid::now_v7();
        slot::seed(&self.pool, &[product], units, slots).await.unwrap();
        product
    }

    /// On hand and reserved.
    pub async fn level(&self, product: Uuid) -> (i64, i64) {
        let level = slot::level(&self.pool, product).await.unwrap().unwrap();
        (level.on_hand, level.reserved)
    }

    pub async fn state_of(&self, order: Uuid) -> Option<String> {
        sqlx::query_scalar("select state from inventory_reservations where order_id = $1")
            .bind(order)
            .fetch_optional(self.pool.executor())
            .await
            .unwrap()
    }

    /// The kinds of the events written for an order, in order.
    pub async fn told(&self, order: Uuid) -> Vec<String> {
        let text = "select kind from inventory_outbox where payload::json ->> 'order_id' = $1 order by id";
        sqlx::query_scalar(text)
            .bind(order.to_string())
            .fetch_all(self.pool.executor())
            .await
            .unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool.executor()).await.unwrap()
    }

    /// As if a quarter of an hour had passed for an order.
    pub async fn make_overdue(&self, order: Uuid) {
        sqlx::query("update inventory_reservations set expires_at = now() - interval '1 second' where order_id = $1")
            .bind(order)
            .execute(self.pool.executor())
            .await
            .unwrap();
    }

    pub async fn reserve(&self, order: Uuid, lines: &[(Uuid, i32)]) -> Answer {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}))
            .collect();
        self.post(RESERVATIONS, None, &[], &json!({"order_id": order, "lines": lines}))
            .await
    }

    pub async fn release(&self, order: Uuid) -> Answer {
        let path = format!("{RESERVATIONS}/{order}");
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub async fn get(&self, path: &str, role: Option<Role>) -> Answer {
        let mut request = Request::get(path);
        if let Some(role) = role {
            request = request.header("authorization", bearer(role));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, role: Option<Role>, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(role) = role {
            request = request.header("authorization", bearer(role));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// Handles messages as the worker does: again when it was not their fault.
    pub async fn hear(&self, messages: &[Message]) {
        let follow = Follow {
            pool: self.pool.clone(),
        };
        let begun = Instant::now();
        while let Err(error) = follow.handle(messages).await {
            let passing = matches!(error, HandleError::Unavailable(_));
            assert!(passing && begun.elapsed() < PATIENCE, "{error}");
        }
    }
}

pub fn desk(pool: &Pool, rules: Rules) -> Desk {
    Desk::open(pool.clone(), rules, DeskMetrics::new(&Registry::new()).unwrap())
}

pub fn order(id: Uuid, lines: &[(Uuid, i32)]) -> Order {
    let lines = lines.iter().map(|(product, quantity)| Line {
        product: *product,
        quantity: *quantity,
    });
    Order {
        id,
        lines: lines.collect(),
    }
}

/// `payment.authorized`, under a new event id.
pub fn authorized(order: Uuid, lines: &[(Uuid, i32)], synthetic: bool) -> Message {
    let event = PaymentEvent {
        event_id: Uuid::now_v7(),
        payment_id: Uuid::now_v7(),
        order_id: order,
        user_id: Uuid::from_u128(7),
        amount_cents: 100,
        currency: "EUR".to_owned(),
        reason: None,
        lines: priced(lines),
        synthetic,
        at: "2026-11-24T12:00:00Z".to_owned(),
    };
    message(event.event_id, PAYMENT_AUTHORIZED, serde_json::to_vec(&event).unwrap())
}

/// `order.cancelled`, under a new event id.
pub fn cancelled(order: Uuid, lines: &[(Uuid, i32)]) -> Message {
    let event = OrderEvent {
        event_id: Uuid::now_v7(),
        order_id: order,
        user_id: Uuid::from_u128(7),
        total_cents: 100,
        currency: "EUR".to_owned(),
        lines: priced(lines),
        payment_token: None,
        cancel_reason: Some(CancelReason::Customer),
        synthetic: false,
        placed_at: "2026-11-24T12:00:00Z".to_owned(),
        at: "2026-11-24T12:00:00Z".to_owned(),
    };
    message(event.event_id, ORDER_CANCELLED, serde_json::to_vec(&event).unwrap())
}

fn priced(lines: &[(Uuid, i32)]) -> Vec<PricedLine> {
    let line = |(product, quantity): &(Uuid, i32)| PricedLine {
        product_id: *product,
        quantity: quantity.unsigned_abs(),
        price_cents: 100,
    };
    lines.iter().map(line).collect()
}

fn message(id: Uuid, kind: &str, payload: Vec<u8>) -> Message {
    Message {
        id,
        kind: kind.to_owned(),
        payload,
        attempt: 1,
    }
}

pub fn bearer(role: Role) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims::new(Uuid::from_u128(9), false, now).with_role(role);
    format!("Bearer {}", Signer::from_seed(SEED).unwrap().sign(&claims))
}
