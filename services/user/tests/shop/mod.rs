//! The user service over two real shards. Its router is called in process, so that no port has to be waited for.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use shop_kit_config::Secret;
use shop_kit_http::Face;
use shop_kit_postgres::ShardedPool;
use shop_kit_telemetry::Metrics;
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_kit_token::Signer;
use shop_user::config::Config;
use shop_user::router::{AppState, router};
use shop_user::{MIGRATIONS_TABLE, migrator};
use tower::ServiceExt;
use uuid::Uuid;

pub const KEY: &str = "synthetic-key";
const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub struct Shop {
    pub app: Router,
    pub pools: ShardedPool,
    pub two: TwoShards,
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Shop {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pools = two.open();
        Self {
            app: app(&two, pools.clone()),
            pools,
            two,
        }
    }

    /// The same shop seen by a service that cannot reach a shard.
    pub async fn without(&self, shard: u16) -> Router {
        app(&self.two, self.two.open_without(shard).await.unwrap())
    }

    pub async fn register(&self, email: &str) -> Answer {
        let body = serde_json::json!({"email": email, "password": "correct horse", "name": "Ada"});
        post(&self.app, "/api/v1/users", None, body).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        post(
            &self.app,
            "/api/v1/sessions",
            None,
            serde_json::json!({"email": email, "password": password}),
        )
        .await
    }

    pub async fn me(&self, token: &str) -> Answer {
        let request = Request::builder()
            .uri("/api/v1/users/me")
            .header("authorization", format!("Bearer {token}"));
        send(&self.app, request.body(Body::empty()).unwrap()).await
    }

    /// In how many shards a customer has a row, and in which the last.
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
}

pub async fn post(app: &Router, path: &str, synthetic: Option<&str>, body: Value) -> Answer {
    let mut request = Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/json");
    if let Some(key) = synthetic {
        request = request.header("x-shop-synthetic", key);
    }
    send(app, request.body(Body::from(body.to_string())).unwrap()).await
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let status: StatusCode = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answer {
        status: status.as_u16(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

fn app(two: &TwoShards, pools: ShardedPool) -> Router {
    let signer = Signer::from_seed(SEED).unwrap();
    let config = Config {
        orders: two.settings.clone(),
        signer,
        synthetic_key: Secret::new(KEY),
    };
    let mut face = Face::new("user", Metrics::new("user").unwrap());
    face.deadline = PATIENCE;
    face.around(router(AppState::new(&config, pools, PATIENCE)))
}
