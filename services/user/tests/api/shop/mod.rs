//! The user service over two real shards. Its router is called in process, so that no port has to be waited for.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use prometheus::Registry;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_config::Secret;
use shop_kit_http::Face;
use shop_kit_postgres::ShardedPool;
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_kit_token::{Claims, Signer};
use shop_user::config::ApiConfig;
use shop_user::router::{AppState, router};
use shop_user::webhook::WebhookRules;
use shop_user::{MIGRATIONS_TABLE, migrator, store};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tower::ServiceExt;
use uuid::Uuid;

pub const KEY: &str = "synthetic-key";
pub const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub const OTHER_SEED: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
pub const PASSWORD: &str = "correct horse";

pub struct Shop {
    pub app: Router,
    pub pools: ShardedPool,
    pub two: TwoShards,
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// A request under construction.
pub struct Ask {
    request: axum::http::request::Builder,
    body: Option<Value>,
}

impl Shop {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pools = two.open();
        Self {
            app: app(&two, pools.clone(), SEED),
            pools,
            two,
        }
    }

    /// The same shop seen by a service that cannot reach a shard.
    pub async fn without(&self, shard: u16) -> Router {
        app(&self.two, self.two.open_without(shard).await.unwrap(), SEED)
    }

    /// The same shop after its seeds were changed.
    pub fn with_seeds(&self, seeds: &str) -> Router {
        app(&self.two, self.pools.clone(), seeds)
    }

    pub async fn register(&self, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
        ask("POST", "/api/v1/users").json(body).of(&self.app).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        ask("POST", "/api/v1/sessions").json(body).of(&self.app).await
    }

    pub async fn refresh(&self, token: &Value) -> Answer {
        let body = json!({"refresh_token": token});
        ask("POST", "/api/v1/sessions/refresh").json(body).of(&self.app).await
    }

    pub async fn me(&self, token: &str) -> Answer {
        ask("GET", "/api/v1/users/me").token(token).of(&self.app).await
    }

    /// A registered account that has logged in: its id and its session.
    pub async fn customer(&self, email: &str) -> (Uuid, Value) {
        let made = self.register(email).await;
        assert_eq!(made.status, 201, "{made:?}");
        let session = self.log_in(email, PASSWORD).await;
        assert_eq!(session.status, 200, "{session:?}");
        (id_of(&made.body), session.body)
    }

    /// A customer in the same shard as another: only there could one see what is the other's.
    pub async fn neighbour(&self, of: Uuid) -> (Uuid, Value) {
        let shard = |user| self.pools.of_user(user).unwrap().index;
        loop {
            let (user, session) = self.customer(&self.two.email_in(0)).await;
            if shard(user) == shard(of) {
                return (user, session);
            }
        }
    }

    /// The access token of a new account with this role.
    pub async fn token_of(&self, role: Role) -> (Uuid, String) {
        let email = self.two.email_in(0);
        let (id, _) = self.customer(&email).await;
        assert!(store::role::set(&self.pools, id, role).await.unwrap());
        let session = self.log_in(&email, PASSWORD).await;
        (id, text(&session.body["access_token"]))
    }

    /// In which shards a customer has a row.
    pub async fn shards_of(&self, user: Uuid) -> Vec<u16> {
        let mut found = Vec::new();
        for shard in self.pools.all() {
            let count: i64 = sqlx::query_scalar("select count(*) from users where id = $1")
                .bind(user)
                .fetch_one(shard.pool.executor())
                .await
                .unwrap();
            found.extend((0..count).map(|_| shard.index));
        }
        found
    }

    /// A number from the shard a customer lies in; `$1` is the customer.
    pub async fn count(&self, user: Uuid, statement: &'static str) -> i64 {
        let pool = self.pools.of_user(user).unwrap().pool;
        let counted = sqlx::query_scalar(statement)
            .bind(user)
            .fetch_one(pool.executor())
            .await;
        counted.unwrap()
    }

    /// Waits until such a number is 1.
    pub async fn until_one(&self, user: Uuid, statement: &'static str) {
        let begun = Instant::now();
        while self.count(user, statement).await != 1 {
            assert!(begun.elapsed() < Duration::from_secs(20), "never 1: {statement}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a request stands before a lock in the customer's shard, or is answered.
    pub async fn until_it_waits(&self, user: Uuid, request: &JoinHandle<Answer>) {
        let waits = "select count(*) from pg_stat_activity \
             where $1::uuid is not null and datname = current_database() and wait_event_type = 'Lock'";
        let begun = Instant::now();
        while !request.is_finished() && self.count(user, waits).await == 0 {
            assert!(begun.elapsed() < PATIENCE, "it neither waits nor is answered");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Ask {
    pub fn token(mut self, token: &str) -> Self {
        self.request = self.request.header("authorization", format!("Bearer {token}"));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn json(mut self, body: Value) -> Self {
        self.request = self.request.header("content-type", "application/json");
        self.body = Some(body);
        self
    }

    pub async fn of(self, app: &Router) -> Answer {
        let body = self.body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let response = app.clone().oneshot(self.request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }
}

impl Answer {
    /// The fields that were wrong.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }

    /// The last part of the problem's type.
    pub fn kind(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit(':').next().unwrap_or_default()
    }
}

pub fn ask(method: &str, path: &str) -> Ask {
    Ask {
        request: Request::builder().method(method).uri(path),
        body: None,
    }
}

pub fn id_of(body: &Value) -> Uuid {
    body["id"].as_str().unwrap().parse().unwrap()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Claims made now.
pub fn claims(user: Uuid) -> Claims {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Claims::new(user, false, since.as_secs())
}

fn app(two: &TwoShards, pools: ShardedPool, seeds: &str) -> Router {
    let signer = Signer::from_seed(seeds).unwrap();
    let config = ApiConfig {
        orders: two.settings.clone(),
        verifier: signer.verifier(),
        signer,
        synthetic_key: Secret::new(KEY),
        webhooks: WebhookRules::default(),
    };
    let mut face = Face::new("user", Metrics::new("user").unwrap());
    face.deadline = PATIENCE;
    let state = AppState::new(&config, pools, PATIENCE, &Registry::new()).unwrap();
    face.around(router(state))
}
