//! The service over real Postgres. The router is called in process, so that no port has to be waited for.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_events::Message;
use shop_kit_http::Face;
use shop_kit_postgres::Pool;
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{OneDatabase, PATIENCE};
use shop_kit_token::{Claims, Signer};
use shop_recommendation::best::BestSellers;
use shop_recommendation::router::{AppState, router};
use shop_recommendation::{MIGRATIONS_TABLE, migrator};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;
use uuid::Uuid;

pub struct Shop {
    app: Router,
    signer: Signer,
    pub pool: Pool,
}

impl Shop {
    /// Best sellers are read anew for every request.
    pub async fn start() -> Self {
        let database = OneDatabase::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pool = database.pool("postgres/catalog");
        catalogue(&pool).await;
        let signer = Signer::from_seed("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let mut face = Face::new("recommendation", Metrics::new("recommendation").unwrap());
        face.deadline = PATIENCE;
        let state = AppState {
            pool: pool.clone(),
            best: BestSellers::read_every(pool.clone(), Duration::ZERO),
            verifier: signer.verifier(),
        };
        Self {
            app: face.around(router(state)),
            signer,
            pool,
        }
    }

    pub async fn get(&self, path: &str, caller: Option<(Uuid, Role)>) -> (u16, Value) {
        let mut request = Request::builder().uri(path);
        if let Some((user, role)) = caller {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let token = self.signer.sign(&Claims::new(user, false, now).with_role(role));
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn merchant(&self, path: &str) -> Value {
        let (status, body) = self.get(path, Some((Uuid::now_v7(), Role::Merchant))).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Everything that was learnt, as text that can be compared.
    pub async fn learnt(&self) -> Vec<String> {
        let mut all = Vec::new();
        for query in [
            "select row(t.*)::text from recommendation_items t order by product_id",
            "select row(t.*)::text from recommendation_pairs t order by product_id, other_id",
            "select row(t.*)::text from recommendation_sales t order by day, product_id",
            "select row(t.*)::text from recommendation_recent t order by user_id, product_id",
            "select row(t.*)::text from analytics_sales t order by hour, currency",
            "select row(t.*)::text from analytics_funnel t order by hour, step, reason",
        ] {
            let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(self.pool.executor()).await.unwrap();
            all.extend(rows);
        }
        all
    }
}

/// What this service reads of the product service's table, with the first hundred products on sale.
async fn catalogue(pool: &Pool) {
    let ids: Vec<Uuid> = (0..100).map(product).collect();
    sqlx::query("create table products (id uuid primary key, listed boolean not null default true)")
        .execute(pool.executor())
        .await
        .unwrap();
    sqlx::query("insert into products select unnest($1::uuid[])")
        .bind(ids)
        .execute(pool.executor())
        .await
        .unwrap();
}

/// The n-th product.
pub fn product(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_8000_8000_0000_0000_0000 + n)
}

/// An order event of now, with one piece at 100 cents of each product.
pub fn order(kind: &str, id: Uuid, user: Uuid, products: &[u128]) -> Message {
    let lines: Vec<Value> = products
        .iter()
        .map(|n| json!({"product_id": product(*n), "quantity": 1, "price_cents": 100}))
        .collect();
    message(
        kind,
        json!({"order_id": id, "user_id": user, "lines": lines, "total_cents": 100 * products.len()}),
    )
}

/// An order event; what is not given is filled in.
pub fn message(kind: &str, mut given: Value) -> Message {
    let (event, now) = (Uuid::now_v7(), now());
    let defaults = json!({"event_id": event, "order_id": Uuid::now_v7(), "user_id": Uuid::now_v7(), "total_cents": 100,
        "currency": "EUR", "lines": [], "synthetic": false, "placed_at": now, "at": now});
    for (key, value) in defaults.as_object().unwrap() {
        let fields = given.as_object_mut().unwrap();
        fields.entry(key).or_insert(value.clone());
    }
    Message {
        id: event,
        kind: kind.to_owned(),
        payload: given.to_string().into_bytes(),
        attempt: 1,
    }
}

/// RFC 3339.
pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}
