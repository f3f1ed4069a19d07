//! Learns from confirmed orders, a batch in one transaction. An order teaches once: what is noted in the inbox is the
//! order, because its confirmation may be told again by another event.

use super::time;
use crate::TABLES;
use crate::lessons::Lessons;
use crate::store::{best, neighbours, recent};
use shop_contract::event::{OrderEvent, RECOMMENDATION_WORK};
use shop_kit_events::{HandleError, Handler, Message, first_times};
use shop_kit_postgres::Pool;
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Products whose neighbours grew since they were last pruned. Cloning shares them.
#[derive(Clone, Default)]
pub struct Touched(Arc<Mutex<BTreeSet<Uuid>>>);

pub struct Learn {
    pub pool: Pool,
    pub touched: Touched,
}

impl Touched {
    fn note(&self, products: impl IntoIterator<Item = Uuid>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(products);
    }

    pub fn take(&self) -> Vec<Uuid> {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        taken.into_iter().collect()
    }
}

impl Handler for Learn {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut orders = Vec::with_capacity(batch.len());
        for message in batch {
            let order: OrderEvent = message.read()?;
            let placed_at = time(&order.placed_at)?;
            if !order.synthetic {
                orders.push((order, placed_at));
            }
        }
        if orders.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = orders.iter().map(|(order, _)| order.order_id).collect();
        let mut transaction = self.pool.begin().await?;
        let store = |error: sqlx::Error| HandleError::from(self.pool.error(&error));
        let first = first_times(&mut transaction, &TABLES, RECOMMENDATION_WORK.name, &ids).await;
        let mut first = first.map_err(store)?;
        let mut lessons = Lessons::default();
        for (order, placed_at) in &orders {
            // Taken out, so that an order that is twice in the batch teaches once.
            if first.remove(&order.order_id) {
                lessons.add(order, *placed_at);
            }
        }
        write(&mut transaction, &lessons).await.map_err(store)?;
        self.pool.commit(transaction).await?;
        self.touched.note(lessons.items.into_keys());
        Ok(())
    }
}

async fn write(transaction: &mut PgConnection, lessons: &Lessons) -> Result<(), sqlx::Error> {
    if lessons.items.is_empty() {
        return Ok(());
    }
    neighbours::add(transaction, lessons).await?;
    best::add(transaction, lessons).await?;
    recent::add(transaction, lessons).await
}
