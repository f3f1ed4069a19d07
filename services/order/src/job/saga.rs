//! The order's part of the saga: what payment and inventory say moves orders. A batch is one transaction per shard:
//! inbox, moves, history and events, each one statement whatever the batch's size.

use crate::state::{Next, Step, next};
use crate::store::TABLES;
use crate::store::change::{Change, lock, write};
use crate::store::row::Stored;
use crate::time;
use futures::future::join_all;
use shop_contract::api::order::OrderActor;
use shop_contract::event::{
    ORDER_PLACED, ORDER_WORK, PAYMENT_CAPTURED, PAYMENT_DECLINED, PaymentEvent, STOCK_REJECTED, StockEvent,
};
use shop_kit_events::{HandleError, Handler, Message, first_times};
use shop_kit_postgres::{Shard, ShardedPool};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

pub struct Saga {
    pub shards: ShardedPool,
}

/// What a message says.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    pub message: Uuid,
    pub user: Uuid,
    pub order: Uuid,
    pub step: Step,
}

impl Handler for Saga {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut by_shard: BTreeMap<u16, (Shard, Vec<Fact>)> = BTreeMap::new();
        for message in batch {
            if let Some(fact) = fact(message)? {
                let shard = self.shards.of_user(fact.user)?;
                by_shard
                    .entry(shard.index)
                    .or_insert_with(|| (shard, Vec::new()))
                    .1
                    .push(fact);
            }
        }
        let done = join_all(by_shard.values().map(|(shard, facts)| apply(shard, facts))).await;
        done.into_iter().collect()
    }
}

fn fact(message: &Message) -> Result<Option<Fact>, HandleError> {
    let (user, order, step) = match message.kind.as_str() {
        PAYMENT_CAPTURED | PAYMENT_DECLINED => {
            let event: PaymentEvent = message.read()?;
            let captured = message.kind == PAYMENT_CAPTURED;
            let step = if captured { Step::Captured } else { Step::Declined };
            (event.user_id, event.order_id, step)
        }
        STOCK_REJECTED => {
            let event: StockEvent = message.read()?;
            (event.user_id, event.order_id, Step::OutOfStock)
        }
        // The version before accepted orders by it; what it left in the queue has no meaning any more.
        ORDER_PLACED => return Ok(None),
        other => return Err(HandleError::Poison(format!("`{other}` is not for orders"))),
    };
    let message = message.id;
    Ok(Some(Fact {
        message,
        user,
        order,
        step,
    }))
}

async fn apply(shard: &Shard, facts: &[Fact]) -> Result<(), HandleError> {
    let store = |error: sqlx::Error| shard.pool.error(&error);
    let mut transaction = shard.pool.begin().await?;
    let ids: Vec<Uuid> = facts.iter().map(|fact| fact.message).collect();
    let mut first = first_times(&mut transaction, &TABLES, ORDER_WORK.name, &ids)
        .await
        .map_err(store)?;
    if first.is_empty() {
        return Ok(());
    }
    let facts: Vec<Fact> = facts
        .iter()
        .filter(|fact| first.remove(&fact.message))
        .copied()
        .collect();
    let orders: HashSet<Uuid> = facts.iter().map(|fact| fact.order).collect();
    let orders: Vec<Uuid> = orders.into_iter().collect();
    let locked = lock(&mut transaction, shard.index, &orders).await.map_err(store)?;
    // Not the message's fault: it waits for a worker of the version that knows the state.
    if let Some(later) = locked.iter().find(|stored| stored.state.is_none()) {
        return Err(HandleError::Unavailable(later.unknown()));
    }
    let changes = changes(locked, &facts, &time::now()).map_err(store)?;
    write(&mut transaction, &changes).await.map_err(store)?;
    shard.pool.commit(transaction).await?;
    tracing::debug!(shard = shard.index, facts = facts.len(), moved = changes.len(), "saga");
    Ok(())
}

/// The moves that follow from the facts, one after another. Pure. A fact of an order that is not there (a test order
/// that was removed, a detached month), or is in a state this version does not know, moves nothing.
pub fn changes(locked: Vec<Stored>, facts: &[Fact], at: &str) -> Result<Vec<Change>, sqlx::Error> {
    let mut orders: BTreeMap<Uuid, Stored> = locked.into_iter().map(|stored| (stored.order.id, stored)).collect();
    let mut changes = Vec::new();
    for fact in facts {
        let Some(stored) = orders.get_mut(&fact.order) else {
            continue;
        };
        let Some(Next::Move(state)) = stored.state.map(|state| next(state, fact.step)) else {
            continue;
        };
        *stored = stored.moved(state)?;
        changes.push(Change {
            stored: stored.clone(),
            to: state,
            by: if fact.step == Step::OutOfStock {
                OrderActor::Inventory
            } else {
                OrderActor::Payment
            },
            actor: None,
            at: at.to_owned(),
        });
    }
    Ok(changes)
}
