//! What becomes of one message. Handled: acknowledged. Its tier is down: tried again here and, when that takes long,
//! moved to the back of the queue, so that it never counts as its own failure and others overtake it. It fails by
//! itself: tried a few times, then moved to the dead letters. The connection or the process ends: given back.

use crate::{HandleError, Handler, Message};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicPublishOptions, BasicRejectOptions};
use lapin::{Channel, Confirmation};
use shop_contract::event::Queue;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Messages held at a time.
pub(crate) const PREFETCH: u16 = 64;
/// Attempts at a message that fails by itself.
const ATTEMPTS: u32 = 5;
/// Attempts at a message whose tier is down, before it goes to the back of the queue.
const HELD_ATTEMPTS: u32 = 10;
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
const CONFIRM: Duration = Duration::from_secs(10);

/// One queue and its handler.
pub(crate) struct Lane<H> {
    pub queue: Queue,
    handler: H,
    /// Messages that wait for another attempt.
    held: AtomicUsize,
}

enum Fate {
    Ack,
    DeadLetter,
    BackOfQueue,
    GiveBack,
}

impl<H: Handler> Lane<H> {
    pub fn new(queue: Queue, handler: H) -> Self {
        Self {
            queue,
            handler,
            held: AtomicUsize::new(0),
        }
    }

    pub async fn deliver(self: Arc<Self>, channel: Channel, delivery: Delivery, end: CancellationToken) {
        let kind = delivery.properties.kind().as_ref().map(ToString::to_string);
        let kind = kind.unwrap_or_else(|| delivery.routing_key.to_string());
        let message = Message {
            kind,
            payload: delivery.data.clone(),
        };
        let done = match self.fate(&message, &end).await {
            Fate::Ack => delivery.ack(BasicAckOptions::default()).await,
            Fate::DeadLetter => delivery.reject(BasicRejectOptions { requeue: false }).await,
            Fate::GiveBack => give_back(&delivery).await,
            Fate::BackOfQueue if self.copy_to_back(&channel, &delivery).await => {
                delivery.ack(BasicAckOptions::default()).await
            }
            Fate::BackOfQueue => give_back(&delivery).await,
        };
        if let Err(error) = done {
            tracing::info!(queue = self.queue.name, "not acknowledged, it will come again: {error}");
        }
    }

    async fn fate(&self, message: &Message, end: &CancellationToken) -> Fate {
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
            if let Some(fate) = self.hold(pause, end).await {
                return fate;
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Waits before another attempt; no more than half of the prefetch may wait at a time.
    async fn hold(&self, pause: Duration, end: &CancellationToken) -> Option<Fate> {
        let crowded = self.held.fetch_add(1, Ordering::Relaxed) >= usize::from(PREFETCH / 2);
        let ended = tokio::select! {
            () = end.cancelled() => true,
            () = tokio::time::sleep(pause) => false,
        };
        self.held.fetch_sub(1, Ordering::Relaxed);
        match (ended, crowded) {
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
        let (queue, properties) = (self.queue.name.into(), delivery.properties.clone());
        let copy = async {
            channel
                .basic_publish("".into(), queue, options, &delivery.data, properties)
                .await?
                .await
        };
        let confirmed = tokio::time::timeout(CONFIRM, copy).await;
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
