//! Two shards with customers, a broker, the worker, and the events of an order.

use prometheus::Registry;
use shop_contract::api::{CancelReason, PricedLine};
use shop_contract::event::{EMAIL_WORK, NOTIFICATION_WORK, OrderEvent};
use shop_kit_postgres::{Pool, ShardedPool};
use shop_kit_testbroker::TestBroker;
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_user::config::WorkConfig;
use shop_user::job::work::work;
use shop_user::mail::MailSettings;
use shop_user::webhook::WebhookRules;
use shop_user::{MIGRATIONS_TABLE, migrator};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub struct Place {
    pub two: TwoShards,
    pub pools: ShardedPool,
}

impl Place {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, MIGRATIONS_TABLE)]).await.unwrap();
        let pools = two.open();
        Self { two, pools }
    }

    pub fn pool(&self, shard: u16) -> Pool {
        self.pools.get(shard).unwrap().pool
    }

    /// A customer of this shard, who needs no password here.
    pub async fn customer(&self, shard: u16, email: &str) -> Uuid {
        let id = self.two.user_in(shard);
        let pool = self.pool(shard);
        sqlx::query("insert into users (id, email, name, password_hash) values ($1, $2, 'Ada', '-')")
            .bind(id)
            .bind(email)
            .execute(pool.executor())
            .await
            .unwrap();
        id
    }

    pub async fn execute(&self, shard: u16, statement: &'static str) {
        let pool = self.pool(shard);
        sqlx::query(statement).execute(pool.executor()).await.unwrap();
    }

    pub async fn count(&self, shard: u16, query: &'static str) -> i64 {
        let pool = self.pool(shard);
        sqlx::query_scalar(query).fetch_one(pool.executor()).await.unwrap()
    }

    pub async fn until(&self, shard: u16, query: &'static str, wanted: i64) {
        let begun = Instant::now();
        loop {
            let now = self.count(shard, query).await;
            if now == wanted {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{query} is {now}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub async fn broker() -> TestBroker {
    TestBroker::start_with(&[EMAIL_WORK, NOTIFICATION_WORK]).await
}

/// An event of an order: the same order for the same customer.
pub fn event(user: Uuid) -> OrderEvent {
    OrderEvent {
        event_id: Uuid::now_v7(),
        order_id: Uuid::from_u128(user.as_u128() ^ 1),
        user_id: user,
        total_cents: 1290,
        currency: "EUR".to_owned(),
        lines: vec![PricedLine {
            product_id: Uuid::from_u128(7),
            quantity: 2,
            price_cents: 645,
        }],
        payment_token: Some("tok_ok".to_owned()),
        cancel_reason: Some(CancelReason::OutOfStock),
        synthetic: false,
        placed_at: "2026-11-24T12:00:00Z".to_owned(),
        at: "2026-11-24T12:00:01Z".to_owned(),
    }
}

pub async fn publish(broker: &TestBroker, kind: &str, event: &OrderEvent) {
    broker
        .publish(kind, event.event_id, &serde_json::to_vec(event).unwrap())
        .await;
}

/// The worker until it is stopped.
pub struct Worker {
    pub registry: Registry,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    pub fn start(place: &Place, broker: &TestBroker, mail: MailSettings) -> Self {
        let config = WorkConfig {
            orders: place.two.settings.clone(),
            broker: broker.broker.clone(),
            mail,
            webhooks: WebhookRules { private: true },
        };
        let (registry, stop, shards) = (Registry::new(), CancellationToken::new(), place.pools.clone());
        let (given, ends) = (registry.clone(), stop.clone());
        let task = tokio::spawn(async move { work(shards, config, &given, ends).await.unwrap() });
        Self { registry, stop, task }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the worker does not stop").unwrap();
    }

    pub fn metrics(&self) -> String {
        prometheus::TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap()
    }
}
