//! `product work`: the relay, the consumer that refreshes the cache, and the sweep, until told to stop.

use crate::TABLES;
use crate::cache::Cache;
use crate::job::refresh::Refresh;
use crate::job::sweep::sweep;
use shop_contract::event::PRODUCT_WORK;
use shop_kit_events::{Broker, Consumer, EventMetrics, relay_one};
use shop_kit_postgres::Pool;
use tokio_util::sync::CancellationToken;

const BATCH: u16 = 64;

pub async fn work(pool: Pool, cache: Cache, broker: Broker, metrics: EventMetrics, stop: CancellationToken) {
    let refresh = Refresh {
        pool: pool.clone(),
        cache,
    };
    let consumer = Consumer::new(PRODUCT_WORK, broker.clone(), refresh, stop.clone());
    tokio::join!(
        relay_one(pool.clone(), TABLES, broker, metrics.clone(), stop.clone()),
        consumer.metrics(metrics).batch(BATCH).run(),
        sweep(pool, stop),
    );
}
