//! The reading side of a work queue: one connection after another, each to the next node. What becomes of a message is
//! decided in `delivery`; a message is acknowledged after its effect is committed, never before.

use crate::delivery::{Lane, PREFETCH};
use crate::{Broker, BrokerError, Handler};
use futures::StreamExt;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer as Deliveries};
use shop_contract::event::Queue;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const RECONNECT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// For saying goodbye to RabbitMQ.
const FAREWELL: Duration = Duration::from_secs(2);
const TAG: &str = "shop";

/// Reads one queue until stopped.
pub struct Consumer<H> {
    lane: Arc<Lane<H>>,
    broker: Broker,
    stop: CancellationToken,
}

impl<H: Handler> Consumer<H> {
    pub fn new(queue: Queue, broker: Broker, handler: H, stop: CancellationToken) -> Self {
        Self {
            lane: Arc::new(Lane::new(queue, handler)),
            broker,
            stop,
        }
    }

    /// Reconnects, to another node, as often as it has to.
    pub async fn run(self) {
        let queue = self.lane.queue.name;
        let mut retry = RECONNECT.0;
        while !self.stop.is_cancelled() {
            let begun = tokio::time::Instant::now();
            if let Err(error) = self.session().await {
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

    /// One connection's life. At its end every message under way is finished or given back.
    async fn session(&self) -> Result<(), BrokerError> {
        let queue = self.lane.queue.name;
        let (connection, channel) = self.broker.open(&format!("consumer {queue}")).await?;
        let mut deliveries = subscribe(&channel, queue).await.map_err(|error| lost(queue, &error))?;
        let (tasks, end) = (TaskTracker::new(), self.stop.child_token());
        let ended = loop {
            tokio::select! {
                () = self.stop.cancelled() => break Ok(()),
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => {
                        tasks.spawn(self.lane.clone().deliver(channel.clone(), delivery, end.clone()));
                    }
                    Some(Err(error)) => break Err(lost(queue, &error)),
                    None => break Err(BrokerError { at: queue.to_owned(), detail: "the queue was closed".to_owned() }),
                },
            }
        };
        if ended.is_ok() {
            let cancelled = channel.basic_cancel(TAG.into(), BasicCancelOptions::default());
            let _ = tokio::time::timeout(FAREWELL, cancelled).await;
        }
        end.cancel();
        tasks.close();
        tasks.wait().await;
        let _ = tokio::time::timeout(FAREWELL, connection.close(200, "done".into())).await;
        ended
    }
}

async fn subscribe(channel: &Channel, queue: &str) -> lapin::Result<Deliveries> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    channel
        .basic_consume(queue.into(), TAG.into(), options, FieldTable::default())
        .await
}

fn lost(queue: &str, error: &lapin::Error) -> BrokerError {
    BrokerError {
        at: queue.to_owned(),
        detail: error.to_string(),
    }
}
