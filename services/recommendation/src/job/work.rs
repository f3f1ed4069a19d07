//! `recommendation work`: the consumer that learns, the one that counts, and the sweep, until told to stop.

use crate::job::analyse::Analyse;
use crate::job::learn::{Learn, Touched};
use crate::job::sweep::sweep;
use shop_contract::event::{ANALYTICS_WORK, RECOMMENDATION_WORK};
use shop_kit_events::{Broker, Consumer, EventMetrics};
use shop_kit_postgres::Pool;
use tokio_util::sync::CancellationToken;

/// Nobody waits for either, so batches may be large.
const BATCH: u16 = 64;

pub async fn work(pool: Pool, broker: Broker, metrics: EventMetrics, stop: CancellationToken) {
    let touched = Touched::default();
    let learn = Learn {
        pool: pool.clone(),
        touched: touched.clone(),
    };
    let analyse = Analyse { pool: pool.clone() };
    let learning = Consumer::new(RECOMMENDATION_WORK, broker.clone(), learn, stop.clone());
    let counting = Consumer::new(ANALYTICS_WORK, broker, analyse, stop.clone());
    tokio::join!(
        learning.metrics(metrics.clone()).batch(BATCH).unhurried().run(),
        counting.metrics(metrics).batch(BATCH).unhurried().run(),
        sweep(pool, touched, stop),
    );
}
