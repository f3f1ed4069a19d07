//! `order work`: a relay for every shard, the consumer that accepts orders, and the sweep, until told to stop.

use crate::job::accept::Accept;
use crate::job::sweep::sweep_all_shards;
use shop_contract::event::ORDER_WORK;
use shop_kit_events::{Broker, Consumer, RelayMetrics, relay_all_shards};
use shop_kit_postgres::ShardedPool;
use tokio_util::sync::CancellationToken;

pub async fn work(shards: ShardedPool, broker: Broker, metrics: RelayMetrics, stop: CancellationToken) {
    let handler = Accept { shards: shards.clone() };
    let consumer = Consumer::new(ORDER_WORK, broker.clone(), handler, stop.clone());
    tokio::join!(
        relay_all_shards(shards.clone(), broker, metrics, stop.clone()),
        consumer.run(),
        sweep_all_shards(shards, stop),
    );
}
