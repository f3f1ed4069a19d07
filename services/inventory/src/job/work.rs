//! `inventory work`: the relay of its own events, the consumer that follows the saga, and the sweep, until told to stop.

use crate::TABLES;
use crate::job::follow::Follow;
use crate::job::sweep::{Overdue, sweep_always};
use shop_contract::event::INVENTORY_WORK;
use shop_kit_events::{Broker, Consumer, EventMetrics, relay_one};
use shop_kit_postgres::Pool;
use tokio_util::sync::CancellationToken;

pub async fn work(pool: Pool, broker: Broker, metrics: EventMetrics, overdue: Overdue, stop: CancellationToken) {
    let handler = Follow { pool: pool.clone() };
    let consumer = Consumer::new(INVENTORY_WORK, broker.clone(), handler, stop.clone());
    tokio::join!(
        relay_one(pool.clone(), TABLES, broker, metrics.clone(), stop.clone()),
        consumer.metrics(metrics).run(),
        sweep_always(pool, overdue, stop),
    );
}
