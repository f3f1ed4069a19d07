//! What becomes of a batch. Handled: acknowledged. Not handled: each message alone, so that one does not hold up the
//! others, and `fate` decides about each. Nothing is acknowledged before its effect is there.

use crate::copies::Copies;
use crate::fate::Fate;
use crate::headers::Past;
use crate::metrics::QueueMetrics;
use crate::{HandleError, Handler, Message};
use futures::{FutureExt, StreamExt, stream};
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use shop_contract::event::Queue;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Messages of one batch that are handled alone at the same time.
const ALONE: usize = 8;

/// One queue and its handler.
pub(crate) struct Lane<H> {
    pub queue: Queue,
    pub handler: H,
    pub metrics: Option<QueueMetrics>,
    /// No other batch is under way beside one, so that everything before its last message is settled.
    pub one_at_a_time: bool,
}

impl<H: Handler> Lane<H> {
    pub async fn deliver(&self, copies: &Copies, batch: Vec<Delivery>, end: &CancellationToken) {
        if let Some(metrics) = &self.metrics {
            metrics.deliveries.inc_by(batch.len() as u64);
        }
        let (mut messages, mut deliveries) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for delivery in batch {
            match message_of(&delivery) {
                Some(message) => {
                    messages.push(message);
                    deliveries.push(delivery);
                }
                None => {
                    let fate = Fate::Dead("the message has no id that is a UUID".to_owned());
                    self.settle(copies, &delivery, fate, end).await;
                }
            }
        }
        match self.handle(&messages).await {
            Ok(()) => self.acknowledge(&deliveries).await,
            Err(error) => {
                tracing::warn!(
                    queue = self.queue.name,
                    messages = messages.len(),
                    "not handled: {error}"
                );
                self.one_by_one(copies, &messages, &deliveries, error, end).await;
            }
        }
    }

    async fn handle(&self, messages: &[Message]) -> Result<(), HandleError> {
        if messages.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        // A panic must not leave its messages behind: the next batch would acknowledge them with its own.
        let done = AssertUnwindSafe(self.handler.handle(messages)).catch_unwind().await;
        let done = done.unwrap_or_else(|_| Err(HandleError::Failed("the handler panicked".to_owned())));
        if let Some(metrics) = &self.metrics {
            metrics.handled(begun.elapsed());
        }
        done
    }

    async fn one_by_one(
        &self,
        copies: &Copies,
        messages: &[Message],
        deliveries: &[Delivery],
        error: HandleError,
        end: &CancellationToken,
    ) {
        if let ([message], [delivery]) = (messages, deliveries) {
            let fate = self.fate(message, delivery, error);
            return self.settle(copies, delivery, fate, end).await;
        }
        let pairs = messages.iter().zip(deliveries);
        let alone: Vec<_> = pairs
            .map(|(message, delivery)| self.alone(copies, message, delivery, end))
            .collect();
        stream::iter(alone).buffer_unordered(ALONE).collect::<()>().await;
    }

    async fn alone(&self, copies: &Copies, message: &Message, delivery: &Delivery, end: &CancellationToken) {
        let fate = match self.handle(std::slice::from_ref(message)).await {
            Ok(()) => Fate::Done,
            Err(error) => self.fate(message, delivery, error),
        };
        self.settle(copies, delivery, fate, end).await;
    }

    async fn acknowledge(&self, deliveries: &[Delivery]) {
        let (Some(last), one_at_a_time) = (deliveries.last(), self.one_at_a_time) else {
            return;
        };
        let acknowledged = if one_at_a_time {
            last.ack(BasicAckOptions { multiple: true }).await
        } else {
            let acks = deliveries
                .iter()
                .map(|delivery| delivery.ack(BasicAckOptions::default()));
            futures::future::try_join_all(acks).await.map(|_| true)
        };
        self.note(acknowledged);
    }

    pub(crate) fn note(&self, settled: lapin::Result<bool>) {
        if let Err(error) = settled {
            tracing::info!(queue = self.queue.name, "not acknowledged, it will come again: {error}");
        }
    }
}

fn message_of(delivery: &Delivery) -> Option<Message> {
    let id = delivery.properties.message_id().as_ref()?.as_str();
    let kind = delivery.properties.kind().as_ref().map(ToString::to_string);
    Some(Message {
        id: Uuid::try_parse(id).ok()?,
        kind: kind.unwrap_or_else(|| delivery.routing_key.to_string()),
        payload: delivery.data.clone(),
        attempt: Past::of(&delivery.properties).attempts + 1,
    })
}
