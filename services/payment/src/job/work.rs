//! `payment work`: relay, consumer, open questions, the test provider's webhooks and the sweep, until told to stop;
//! then the questions under way are answered and written.

use crate::TABLES;
use crate::job::accept::Accept;
use crate::job::ask::{Answers, Ask};
use crate::job::chase::chase_all;
use crate::job::sweep::sweep_often;
use crate::provider::{Provider, deliver};
use shop_contract::event::PAYMENT_WORK;
use shop_kit_config::Secret;
use shop_kit_events::{Broker, Consumer, EventMetrics, relay_one};
use shop_kit_postgres::Pool;
use tokio_util::sync::CancellationToken;

/// Events in one transaction at most.
const BATCH: u16 = 64;

pub struct Work<P> {
    pub pool: Pool,
    pub broker: Broker,
    pub metrics: EventMetrics,
    pub webhook_secret: Secret,
    pub ask: Ask<P>,
    pub answers: Answers,
}

pub async fn work<P: Provider>(work: Work<P>, stop: CancellationToken) {
    let Work {
        pool,
        broker,
        metrics,
        webhook_secret,
        ask,
        answers,
    } = work;
    let handler = Accept {
        pool: pool.clone(),
        ask: ask.clone(),
    };
    let consumer = Consumer::new(PAYMENT_WORK, broker.clone(), handler, stop.clone())
        .metrics(metrics.clone())
        .batch(BATCH);
    let ended = async {
        stop.cancelled().await;
        ask.finish().await;
    };
    tokio::join!(
        relay_one(pool.clone(), TABLES, broker, metrics, stop.clone()),
        consumer.run(),
        chase_all(pool.clone(), ask.clone(), stop.clone()),
        answers.write_all(pool.clone(), ask.clone(), ended),
        deliver(pool.clone(), webhook_secret, stop.clone()),
        sweep_often(pool, stop.clone()),
    );
}
