//! Events → the feed, and the customer's webhook. Feed, deliveries and the note in the inbox are one transaction per
//! shard; then what waits is delivered. A delivery that fails makes its message come again after the delays; after the
//! last attempt it is given up, because a customer's broken address is nothing an operator can repair.

use crate::TABLES;
use crate::job::deliver::Deliverer;
use crate::store::notification::{self, NewNotification};
use crate::store::webhook::{self, Delivery, NewDelivery, Outcome};
use futures::{StreamExt, stream};
use prometheus::{IntCounterVec, Opts, Registry};
use serde_json::json;
use shop_contract::event::{NOTIFICATION_WORK, OrderEvent};
use shop_kit_events::{ATTEMPTS, HandleError, Handler, Message, first_times};
use shop_kit_postgres::{Pool, ShardedPool};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Webhooks called at the same time.
const AT_ONCE: usize = 16;

pub struct Notify {
    pub shards: ShardedPool,
    pub deliverer: Deliverer,
    pub metrics: WebhookMetrics,
}

#[derive(Clone)]
pub struct WebhookMetrics(IntCounterVec);

impl WebhookMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let help = "Calls of customers' webhooks by what became of them: delivered, failed, or given up";
        let calls = IntCounterVec::new(Opts::new("shop_webhooks_total", help), &["outcome"])?;
        registry.register(Box::new(calls.clone()))?;
        Ok(Self(calls))
    }

    fn count(&self, outcome: &str, calls: usize) {
        self.0.with_label_values(&[outcome]).inc_by(calls as u64);
    }
}

impl Handler for Notify {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut by_shard: BTreeMap<u16, Vec<(&Message, OrderEvent)>> = BTreeMap::new();
        for message in batch {
            let event: OrderEvent = message.read()?;
            if !event.synthetic {
                let shard = self.shards.of_user(event.user_id)?.index;
                by_shard.entry(shard).or_default().push((message, event));
            }
        }
        for (shard, events) in by_shard {
            let Some(shard) = self.shards.get(shard) else {
                return Err(HandleError::Unavailable(format!("shard {shard} left the map")));
            };
            let waiting = keep(&shard.pool, &events).await?;
            let last = events.iter().all(|(message, _)| message.attempt >= ATTEMPTS);
            self.deliver(&shard.pool, waiting, last).await?;
        }
        Ok(())
    }
}

impl Notify {
    async fn deliver(&self, pool: &Pool, waiting: Vec<Delivery>, last: bool) -> Result<(), HandleError> {
        let calls: Vec<_> = waiting.iter().map(|delivery| self.call(delivery)).collect();
        let called: Vec<(Uuid, Result<(), String>)> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        let (done, failed): (Vec<_>, Vec<_>) = called.into_iter().partition(|(_, called)| called.is_ok());
        self.settle(pool, done.into_iter().map(|(id, _)| id).collect(), Outcome::Delivered)
            .await?;
        let Some((_, Err(why))) = failed.first() else {
            return Ok(());
        };
        if !last {
            self.metrics.count("failed", failed.len());
            return Err(HandleError::Failed(format!("webhook: {why}")));
        }
        tracing::info!("webhook given up: {why}");
        let given_up = failed.into_iter().map(|(id, _)| id).collect();
        self.settle(pool, given_up, Outcome::GivenUp).await
    }

    async fn call(&self, delivery: &Delivery) -> (Uuid, Result<(), String>) {
        (delivery.event_id, self.deliverer.deliver(delivery).await)
    }

    async fn settle(&self, pool: &Pool, events: Vec<Uuid>, outcome: Outcome) -> Result<(), HandleError> {
        if events.is_empty() {
            return Ok(());
        }
        webhook::settle(pool, &events, outcome).await?;
        let name = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::GivenUp => "given_up",
        };
        self.metrics.count(name, events.len());
        Ok(())
    }
}

/// Returns the deliveries of these events that wait, new or from an earlier attempt.
async fn keep(pool: &Pool, events: &[(&Message, OrderEvent)]) -> Result<Vec<Delivery>, HandleError> {
    let store = |error: sqlx::Error| HandleError::from(pool.error(&error));
    let ids: Vec<Uuid> = events.iter().map(|(message, _)| message.id).collect();
    let mut transaction = pool.begin().await?;
    let first = first_times(&mut transaction, &TABLES, NOTIFICATION_WORK.name, &ids)
        .await
        .map_err(store)?;
    let new = || events.iter().filter(|(message, _)| first.contains(&message.id));
    let feed = new().map(|(message, event)| NewNotification {
        user_id: event.user_id,
        kind: message.kind.clone(),
        order_id: event.order_id,
    });
    notification::add(&mut transaction, &feed.collect::<Vec<_>>())
        .await
        .map_err(store)?;
    let deliveries = new().map(|(message, event)| NewDelivery {
        event_id: message.id,
        user_id: event.user_id,
        kind: message.kind.clone(),
        body: body(&message.kind, event),
    });
    webhook::add(&mut transaction, &deliveries.collect::<Vec<_>>())
        .await
        .map_err(store)?;
    let waiting = webhook::waiting(&mut transaction, &ids).await.map_err(store)?;
    pool.commit(transaction).await?;
    Ok(waiting)
}

/// What is told outside: nothing of payment.
fn body(kind: &str, event: &OrderEvent) -> String {
    let data = json!({
        "order_id": event.order_id,
        "total_cents": event.total_cents,
        "currency": event.currency,
        "lines": event.lines,
        "cancel_reason": event.cancel_reason,
    });
    json!({"type": kind, "timestamp": event.at, "data": data}).to_string()
}
