//! The payment service over a database of its own. The router is called in process and events are handed to the
//! consumer's handler, so that a test waits for no port; one test goes through RabbitMQ.

use crate::history::Entry;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use prometheus::Registry;
use serde_json::Value;
use shop_contract::api::Role;
use shop_kit_config::Secret;
use shop_kit_events::{Handler, Message};
use shop_kit_http::Face;
use shop_kit_postgres::Pool;
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{OneDatabase, PATIENCE};
use shop_kit_token::{Claims, Signer};
use shop_payment::job::accept::Accept;
use shop_payment::job::ask::{Ask, AskSettings};
use shop_payment::job::chase::chase_all;
use shop_payment::job::settle::Waits;
use shop_payment::provider::{Provider, TestProvider, TestSettings, deliver};
use shop_payment::router::{AppState, router};
use shop_payment::{MIGRATIONS_TABLE, migrator};
use sqlx::Row;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub const WEBHOOK_SECRET: &str = "webhook-secret";
const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub struct Shop {
    pub pool: Pool,
    pub app: Router,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// A worker without RabbitMQ.
pub struct Worker<P> {
    pub accept: Accept<P>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Impatient, so that what is lost is asked again soon.
pub fn impatient() -> AskSettings {
    AskSettings {
        timeout: Duration::from_millis(400),
        at_once: 256,
        waits: Waits {
            lease: Duration::from_secs(2),
            first_pause: Duration::from_millis(20),
        },
    }
}

impl Shop {
    pub async fn start() -> Self {
        let database = OneDatabase::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pool = database.pool("postgres/payments");
        let state = AppState {
            payments: pool.clone(),
            verifier: Signer::from_seed(SEED).unwrap().verifier(),
            webhook_secret: Secret::new(WEBHOOK_SECRET),
        };
        let mut face = Face::new("payment", Metrics::new("payment").unwrap());
        face.deadline = PATIENCE;
        Self {
            pool,
            app: face.around(router(state)),
        }
    }

    pub fn provider(&self) -> TestProvider {
        TestProvider::new(self.pool.clone(), TestSettings::default())
    }

    pub fn worker(&self) -> Worker<TestProvider> {
        self.worker_with(self.provider(), impatient())
    }

    pub fn worker_with<P: Provider>(&self, provider: P, settings: AskSettings) -> Worker<P> {
        let (ask, answers) = Ask::new(provider, settings, &Registry::new()).unwrap();
        let (stop, pool) = (CancellationToken::new(), self.pool.clone());
        let mut tasks = JoinSet::new();
        let (finishing, ended) = (ask.clone(), stop.clone());
        let ended = async move {
            ended.cancelled().await;
            finishing.finish().await;
        };
        tasks.spawn(answers.write_all(pool.clone(), ask.clone(), ended));
        tasks.spawn(chase_all(pool.clone(), ask.clone(), stop.clone()));
        tasks.spawn(deliver(pool.clone(), Secret::new(WEBHOOK_SECRET), stop.clone()));
        Worker {
            accept: Accept { pool, ask },
            stop,
            tasks,
        }
    }

    /// Where the payment of an order stands; empty when there is none.
    pub async fn state(&self, order: Uuid) -> String {
        let state = sqlx::query_scalar("select state from payments where order_id = $1").bind(order);
        let state: Option<String> = state.fetch_optional(self.pool.executor()).await.unwrap();
        state.unwrap_or_default()
    }

    pub async fn until(&self, order: Uuid, wanted: &str) {
        let begun = Instant::now();
        loop {
            let state = self.state(order).await;
            if state == wanted {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "payment of {order} is `{state}`, not `{wanted}`"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn payment_of(&self, order: Uuid) -> Uuid {
        let id = sqlx::query_scalar("select id from payments where order_id = $1").bind(order);
        id.fetch_one(self.pool.executor()).await.unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool.executor()).await.unwrap()
    }

    pub async fn until_none(&self, sql: &'static str) {
        let begun = Instant::now();
        while self.count(sql).await > 0 {
            assert!(begun.elapsed() < PATIENCE, "still there: {sql}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(self.pool.executor()).await.unwrap();
    }

    /// Events told about an order, oldest first.
    pub async fn told(&self, order: Uuid) -> Vec<(String, Value)> {
        let rows = sqlx::query("select kind, payload from payment_outbox where payload like $1 order by id")
            .bind(format!("%\"order_id\":\"{order}\"%"))
            .fetch_all(self.pool.executor())
            .await
            .unwrap();
        let read = |row: &sqlx::postgres::PgRow| {
            let payload: String = row.get("payload");
            (row.get("kind"), serde_json::from_str(&payload).unwrap())
        };
        rows.iter().map(read).collect()
    }

    pub async fn kinds(&self, order: Uuid) -> Vec<String> {
        self.told(order).await.into_iter().map(|(kind, _)| kind).collect()
    }

    /// What the provider did.
    pub async fn ledger(&self) -> Vec<Entry> {
        let rows = sqlx::query("select * from provider_ledger order by at, key");
        let rows = rows.fetch_all(self.pool.executor()).await.unwrap();
        let read = |row: &sqlx::postgres::PgRow| Entry {
            order_id: row.get("order_id"),
            operation: row.get("operation"),
            amount_cents: row.get("amount_cents"),
            happened: row.get::<bool, _>("took_effect") && row.get::<String, _>("outcome") == "done",
            attempts: row.get("attempts"),
        };
        rows.iter().map(read).collect()
    }

    pub async fn get(&self, bearer: &str, path: &str) -> Answer {
        let request = Request::builder().uri(path).header("authorization", bearer);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, headers: &[(&str, &str)], path: &str, body: &[u8]) -> Answer {
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_vec())).unwrap()).await
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
}

impl<P: Provider> Worker<P> {
    pub async fn tell(&self, batch: &[Message]) {
        self.accept.handle(batch).await.unwrap();
    }

    /// Finishes what is under way.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, ended).await.expect("the worker stops");
    }

    /// What is under way is lost.
    pub async fn crash(mut self) {
        self.tasks.shutdown().await;
    }
}

pub fn bearer(user: Uuid, role: Role) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims::new(user, false, now).with_role(role);
    format!("Bearer {}", Signer::from_seed(SEED).unwrap().sign(&claims))
}
