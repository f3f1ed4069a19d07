//! `order work`: a relay for every shard, the consumer that moves orders, and the sweep, until told to stop.

use crate::config::WorkConfig;
use crate::job::saga::Saga;
use crate::job::sweep::sweep_all_shards;
use crate::metrics::OrderMetrics;
use crate::store::TABLES;
use shop_contract::event::ORDER_WORK;
use shop_kit_events::{Consumer, EventMetrics, relay_all_shards};
use shop_kit_postgres::ShardedPool;
use tokio_util::sync::CancellationToken;

/// Messages handled in one transaction per shard.
const BATCH: u16 = 64;

pub async fn work(
    shards: ShardedPool,
    config: WorkConfig,
    events: EventMetrics,
    orders: OrderMetrics,
    stop: CancellationToken,
) {
    let (saga, broker) = (Saga { shards: shards.clone() }, config.broker);
    let consumer = Consumer::new(ORDER_WORK, broker.clone(), saga, stop.clone());
    let consumer = consumer.metrics(events.clone()).batch(BATCH);
    tokio::join!(
        relay_all_shards(shards.clone(), TABLES, broker, events, stop.clone()),
        consumer.run(),
        sweep_all_shards(shards, config.keep_months, orders, stop),
    );
}
