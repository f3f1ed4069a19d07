//! The reading side of a work queue: one connection after another, each to the next node. Messages are gathered into
//! batches: what is there, up to the batch's size, and for a moment what still comes. What becomes of them is decided
//! in `delivery`.

use crate::bundle::count;
use crate::copies::Copies;
use crate::delivery::Lane;
use crate::{Broker, BrokerError, EventMetrics, Handler};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer as Deliveries};
use shop_contract::event::Queue;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const RECONNECT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// For saying goodbye to RabbitMQ.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a batch that is not full waits for more.
const LINGER: Duration = Duration::from_millis(2);
/// The same where nobody waits for the effect: a transaction for each message would cost the databases more than the
/// orders themselves.
const LINGER_UNHURRIED: Duration = Duration::from_millis(500);
const BATCH: u16 = 64;
const TAG: &str = "shop";

/// Reads one queue until stopped.
pub struct Consumer<H> {
    lane: Lane<H>,
    broker: Broker,
    stop: CancellationToken,
    batch: u16,
    linger: Duration,
}

impl<H: Handler> Consumer<H> {
    pub fn new(queue: Queue, broker: Broker, handler: H, stop: CancellationToken) -> Self {
        let lane = Lane {
            queue,
            handler,
            metrics: None,
        };
        Self {
            lane,
            broker,
            stop,
            batch: BATCH,
            linger: LINGER,
        }
    }

    /// Gathers for half a second: for effects that nobody waits for, such as figures.
    pub fn unhurried(mut self) -> Self {
        self.linger = LINGER_UNHURRIED;
        self
    }

    /// Events handled together; the last message may bring some more.
    pub fn batch(mut self, events: u16) -> Self {
        self.batch = events.max(1);
        self
    }

    pub fn metrics(mut self, metrics: EventMetrics) -> Self {
        self.lane.metrics = Some(metrics.queue(self.lane.queue.name));
        self
    }

    /// Reconnects, to another node, as often as it has to.
    pub async fn run(self) {
        let Self {
            lane,
            broker,
            stop,
            batch,
            linger,
        } = self;
        let session = Session {
            lane,
            broker,
            stop,
            batch,
            linger,
        };
        session.repeat().await;
    }
}

struct Session<H> {
    lane: Lane<H>,
    broker: Broker,
    stop: CancellationToken,
    batch: u16,
    linger: Duration,
}

impl<H: Handler> Session<H> {
    async fn repeat(self) {
        let queue = self.lane.queue.name;
        let mut retry = RECONNECT.0;
        while !self.stop.is_cancelled() {
            let begun = tokio::time::Instant::now();
            if let Err(error) = self.once().await {
                tracing::warn!(queue, "consumer: {error}");
            }
            let lasted = begun.elapsed() > RECONNECT.1 * 2;
            retry = if lasted {
                RECONNECT.0
            } else {
                (retry * 2).min(RECONNECT.1)
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(retry) => {}
            }
        }
    }

    /// One connection's life. At its end every batch under way is finished; RabbitMQ takes back what was not begun.
    async fn once(&self) -> Result<(), BrokerError> {
        let queue = self.lane.queue.name;
        let (connection, channel) = self.broker.open(&format!("consumer {queue}")).await?;
        let connection = Arc::new(connection);
        // One batch is handled while the next one gathers.
        let prefetch = self.batch.saturating_mul(2);
        let mut deliveries = subscribe(&channel, queue, prefetch)
            .await
            .map_err(|error| lost(queue, error.to_string()))?;
        let end = self.stop.child_token();
        let copies = Copies::new(connection.clone());
        let ended = self.read(&mut deliveries, &copies, &end).await;
        if ended.is_ok() {
            let cancelled = channel.basic_cancel(TAG.into(), BasicCancelOptions::default());
            let _ = tokio::time::timeout(FAREWELL, cancelled).await;
        }
        let _ = tokio::time::timeout(FAREWELL, connection.close(200, "done".into())).await;
        ended
    }

    /// Until told to stop, or until the connection is lost.
    async fn read(
        &self,
        deliveries: &mut Deliveries,
        copies: &Copies,
        end: &CancellationToken,
    ) -> Result<(), BrokerError> {
        loop {
            let (batch, failure) = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                gathered = self.gather(deliveries) => gathered,
            };
            if !batch.is_empty() {
                self.lane.deliver(copies, batch, end).await;
            }
            if let Some(detail) = failure {
                return Err(lost(self.lane.queue.name, detail));
            }
        }
    }

    /// A batch, and why there will be no other.
    async fn gather(&self, deliveries: &mut Deliveries) -> (Vec<Delivery>, Option<String>) {
        let (mut batch, mut events) = (Vec::new(), 0);
        let mut failure = None;
        let mut next = deliveries.next().await;
        let linger = tokio::time::sleep(self.linger);
        tokio::pin!(linger);
        loop {
            match next {
                Some(Ok(delivery)) => {
                    events += count(&delivery.properties);
                    batch.push(delivery);
                }
                Some(Err(error)) => failure = Some(error.to_string()),
                None => failure = Some("the queue was closed".to_owned()),
            }
            if failure.is_some() || events >= usize::from(self.batch) {
                return (batch, failure);
            }
            next = tokio::select! {
                biased;
                next = deliveries.next() => next,
                () = &mut linger => return (batch, None),
            };
        }
    }
}

async fn subscribe(channel: &Channel, queue: &str, prefetch: u16) -> lapin::Result<Deliveries> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    channel
        .basic_consume(queue.into(), TAG.into(), options, FieldTable::default())
        .await
}

fn lost(queue: &str, detail: String) -> BrokerError {
    BrokerError {
        at: queue.to_owned(),
        detail,
    }
}
