//! Events → the feed, and what is to be told to the customer's webhook. Feed, deliveries and the note in the inbox are one
//! transaction per shard; calling follows afterwards and is somebody else's job.

use crate::TABLES;
use crate::store::notification::{self, NewNotification};
use crate::store::webhook::{self, NewDelivery};
use serde_json::json;
use shop_contract::event::{NOTIFICATION_WORK, OrderEvent};
use shop_kit_events::{HandleError, Handler, Message, first_times};
use shop_kit_postgres::{Pool, ShardedPool};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub struct Notify {
    pub shards: ShardedPool,
    /// Wakes who calls the webhooks.
    pub wake: Arc<tokio::sync::Notify>,
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
            if keep(&shard.pool, &events).await? > 0 {
                self.wake.notify_one();
            }
        }
        Ok(())
    }
}

/// Returns how many deliveries are new.
async fn keep(pool: &Pool, events: &[(&Message, OrderEvent)]) -> Result<u64, HandleError> {
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
    let kept = webhook::add(&mut transaction, &deliveries.collect::<Vec<_>>())
        .await
        .map_err(store)?;
    pool.commit(transaction).await?;
    Ok(kept)
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
