//! Reads facts. Every read goes to a primary and says so to itself: a standby's answer is no answer. Windows run over
//! order ids, which are UUIDs of version 7: the same range is the same stretch of time in every database.

mod ordered;
mod orders;
mod outbox;
mod payments;
mod primary;
mod stock;
mod window;

pub use window::Window;

use crate::facts::{OrderFacts, OutboxFacts, StockFacts};
use futures::future::join_all;
use ordered::Ordered;
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use uuid::Uuid;

/// The databases whose books are compared. Cloning shares their pools.
#[derive(Clone)]
pub struct Sources {
    pub shards: ShardedPool,
    pub catalog: Pool,
    pub payments: Pool,
}

impl Sources {
    /// All that is known of these orders. Fails when the catalogue or the payments do not answer; an order of a shard
    /// that does not answer is unknown.
    pub async fn facts(&self, ids: &[Uuid]) -> Result<Vec<OrderFacts>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let shards = self.shards.all();
        let (mut ordered, stock, paid) = tokio::join!(
            Ordered::read(&shards, ids),
            stock::of_orders(&self.catalog, ids),
            payments::read(&self.payments, ids)
        );
        let (mut stock, mut paid) = (stock?, paid?);
        let facts = ids.iter().map(|id| OrderFacts {
            id: *id,
            age_seconds: paid.now_seconds - made_at(*id),
            order: ordered.take(*id),
            payment: paid.rows.remove(id),
            ledger: paid.ledgers.remove(id).unwrap_or_default(),
            reservation: stock.rows.remove(id),
            claimed: stock.claimed.remove(id).unwrap_or_default(),
        });
        Ok(facts.collect())
    }

    /// Stock of these products.
    pub async fn stock(&self, products: &[Uuid]) -> Result<Vec<StockFacts>, StoreError> {
        stock::levels(&self.catalog, products).await
    }

    /// The next products after one, in the order of their ids.
    pub async fn products_after(&self, product: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
        stock::products_after(&self.catalog, product, limit).await
    }

    /// Orders that look late: placed long ago, or with a reservation long past its end. From whichever source answers.
    pub async fn late_orders(&self, order_seconds: i64, reservation_seconds: i64) -> Vec<Uuid> {
        let shards = self.shards.all();
        let stuck = join_all(shards.iter().map(|shard| orders::stuck(shard, order_seconds))).await;
        let expired = stock::expired(&self.catalog, reservation_seconds).await;
        let answers = stuck.into_iter().chain([expired]);
        answers.flat_map(|answer| noted(answer).unwrap_or_default()).collect()
    }

    /// The state of every outbox that answers.
    pub async fn outboxes(&self) -> Vec<OutboxFacts> {
        let shards = self.shards.all();
        let tables = outbox::all(&shards, &self.catalog, &self.payments);
        let answers = join_all(
            tables
                .into_iter()
                .map(|(pool, object, table)| outbox::read(pool, object, table)),
        )
        .await;
        answers.into_iter().filter_map(noted).collect()
    }
}

fn noted<T>(answer: Result<T, StoreError>) -> Option<T> {
    answer.map_err(|error| tracing::warn!("not looked at: {error}")).ok()
}

/// Seconds since 1970; an id that carries no time counts as very old.
pub(crate) fn made_at(id: Uuid) -> i64 {
    let seconds = id.get_timestamp().map(|stamp| stamp.to_unix().0);
    seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0)
}
