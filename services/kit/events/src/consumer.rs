//! The reading side of a work queue. A message is acknowledged after its effect is committed. A message whose tier is
//! down is tried again here and, when it takes long, goes to the back of the queue: it never counts as its own failure,
//! and others overtake it. One that fails by itself is tried a few times, then moved to the dead letters.

use crate::{Broker, BrokerError};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    BasicRejectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation};
use shop_contract::event::Queue;
use shop_kit_postgres::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages held at a time.
const PREFETCH: u16 = 64;
/// Attempts at a message that fails by itself.
const ATTEMPTS: u32 = 5;
/// Attempts at a message whose tier is down, before it goes to the back of the queue.
const HELD_ATTEMPTS: u32 = 10;
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
const RECONNECT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
const TAG: &str = "shop";

/// A message as a handler sees it.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: String,
    pub payload: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A tier does not answer: not the message's fault.
    #[error("{0}")]
    Unavailable(String),
    /// Unexpected; may succeed when tried again.
    #[error("{0}")]
    Failed(String),
    /// Will never succeed.
    #[error("{0}")]
    Poison(String),
}

/// Does what a message asks for. `Ok` only when that is durable; the same message may come twice.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, message: &Message) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Reads one queue until stopped.
pub struct Consumer<H> {
    inner: Arc<Inner<H>>,
    broker: Broker,
}

struct Inner<H> {
    queue: Queue,
    handler: H,
    /// Messages held because a tier is down.
    held: AtomicUsize,
    stop: CancellationToken,
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }
}

impl<H: Handler> Consumer<H> {
    pub fn new(queue: Queue, broker: Broker, handler: H, stop: CancellationToken) -> Self {
        Self {
            inner: Arc::new(Inner {
                queue,
                handler,
                held: AtomicUsize::new(0),
                stop,
            }),
            broker,
        }
    }

    /// Reconnects, to another node, as often as it has to.
    pub async fn run(self) {
        let mut retry = RECONNECT.0;
        while !self.inner.stop.is_cancelled() {
            match self.session().await {
                Ok(()) => retry = RECONNECT.0,
                Err(error) => {
                    tracing::warn!(queue = self.inner.queue.name, "consumer: {error}");
                    retry = (retry * 2).min(RECONNECT.1);
                }
            }
            tokio::select! {
                () = self.inner.stop.cancelled() => {}
                () = tokio::time::sleep(retry) => {}
            }
        }
    }

    /// One connection's life. At its end every message under way is finished.
    async fn session(&self) -> Result<(), BrokerError> {
        let queue = self.inner.queue.name;
        let (connection, channel) = self.broker.open(&format!("consumer {queue}")).await?;
        let lost = |error: lapin::Error| BrokerError {
            at: queue.to_owned(),
            detail: error.to_string(),
        };
        channel
            .basic_qos(PREFETCH, BasicQosOptions::default())
            .await
            .map_err(lost)?;
        let options = BasicConsumeOptions::default();
        let mut deliveries = channel
            .basic_consume(queue.into(), TAG.into(), options, FieldTable::default())
            .await
            .map_err(lost)?;
        let tasks = TaskTracker::new();
        let ended = loop {
            tokio::select! {
                () = self.inner.stop.cancelled() => break Ok(()),
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => {
                        tasks.spawn(self.inner.clone().deliver(channel.clone(), delivery));
                    }
                    Some(Err(error)) => break Err(lost(error)),
                    None => break Err(BrokerError { at: queue.to_owned(), detail: "the queue was closed".to_owned() }),
                },
            }
        };
        if ended.is_ok() {
            let _ = channel.basic_cancel(TAG.into(), BasicCancelOptions::default()).await;
        }
        tasks.close();
        tasks.wait().await;
        let _ = tokio::time::timeout(Duration::from_secs(2), connection.close(200, "done".into())).await;
        ended
    }
}

/// What to do with a message at last.
enum Fate {
    Ack,
    DeadLetter,
    BackOfQueue,
    GiveBack,
}

impl<H: Handler> Inner<H> {
    async fn deliver(self: Arc<Self>, channel: Channel, delivery: Delivery) {
        let kind = delivery.properties.kind().as_ref().map(ToString::to_string);
        let kind = kind.unwrap_or_else(|| delivery.routing_key.to_string());
        let message = Message {
            kind,
            payload: delivery.data.clone(),
        };
        let done = match self.fate(&message).await {
            Fate::Ack => delivery.ack(BasicAckOptions::default()).await,
            Fate::DeadLetter => delivery.reject(BasicRejectOptions { requeue: false }).await,
            Fate::GiveBack => give_back(&delivery).await,
            Fate::BackOfQueue => match self.copy_to_back(&channel, &delivery).await {
                true => delivery.ack(BasicAckOptions::default()).await,
                false => give_back(&delivery).await,
            },
        };
        if let Err(error) = done {
            tracing::info!(queue = self.queue.name, "not acknowledged, it will come again: {error}");
        }
    }

    async fn fate(&self, message: &Message) -> Fate {
        let (mut failures, mut waits, mut pause) = (0, 0, RETRY.0);
        loop {
            let error = match self.handler.handle(message).await {
                Ok(()) => return Fate::Ack,
                Err(error) => error,
            };
            tracing::warn!(queue = self.queue.name, kind = message.kind, "not handled: {error}");
            match error {
                HandleError::Poison(_) => return Fate::DeadLetter,
                HandleError::Failed(_) => failures += 1,
                HandleError::Unavailable(_) => waits += 1,
            }
            if failures >= ATTEMPTS {
                return Fate::DeadLetter;
            }
            if waits >= HELD_ATTEMPTS {
                return Fate::BackOfQueue;
            }
            if let Some(fate) = self.hold(pause).await {
                return fate;
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Waits before another attempt; no more than half of the prefetch may wait at a time.
    async fn hold(&self, pause: Duration) -> Option<Fate> {
        let crowded = self.held.fetch_add(1, Ordering::Relaxed) >= usize::from(PREFETCH / 2);
        let stopped = tokio::select! {
            () = self.stop.cancelled() => true,
            () = tokio::time::sleep(pause) => false,
        };
        self.held.fetch_sub(1, Ordering::Relaxed);
        match (stopped, crowded) {
            (true, _) => Some(Fate::GiveBack),
            (false, true) => Some(Fate::BackOfQueue),
            (false, false) => None,
        }
    }

    /// True when RabbitMQ confirmed the copy, so that the original may go.
    async fn copy_to_back(&self, channel: &Channel, delivery: &Delivery) -> bool {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = delivery.properties.clone();
        let copy = async {
            let confirm = channel
                .basic_publish("".into(), self.queue.name.into(), options, &delivery.data, properties)
                .await?;
            confirm.await
        };
        let confirmed = tokio::time::timeout(Duration::from_secs(10), copy).await;
        matches!(confirmed, Ok(Ok(Confirmation::Ack(None))))
    }
}

async fn give_back(delivery: &Delivery) -> lapin::Result<bool> {
    delivery
        .nack(BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        })
        .await
}
