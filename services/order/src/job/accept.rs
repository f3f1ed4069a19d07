//! Accepts placed orders: the effect and the note in the inbox are one transaction in the customer's shard.

use crate::store::order;
use shop_contract::event::{ORDER_WORK, OrderPlaced};
use shop_kit_events::{HandleError, Handler, Message, first_time};
use shop_kit_postgres::ShardedPool;

pub struct Accept {
    pub shards: ShardedPool,
}

impl Handler for Accept {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let event: OrderPlaced = serde_json::from_slice(&message.payload)
            .map_err(|error| HandleError::Poison(format!("{} cannot be read: {error}", message.kind)))?;
        let pool = self.shards.of_user(event.user_id)?.pool;
        let mut transaction = pool.begin().await?;
        let first = first_time(&mut transaction, ORDER_WORK.name, event.event_id).await;
        if !first.map_err(|error| pool.error(&error))? {
            return Ok(());
        }
        let accepted = order::accept(&mut transaction, event.order_id)
            .await
            .map_err(|error| pool.error(&error))?;
        pool.commit(transaction).await?;
        tracing::debug!(order = %event.order_id, accepted, "order.placed handled");
        Ok(())
    }
}
