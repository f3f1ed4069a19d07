//! What becomes of a batch. Handled: acknowledged. Not handled: each message alone, so that one does not hold up the
//! others. Its tier is down: put off, for as long as that takes, and never counted as its own failure. It fails by
//! itself: tried again after the delays, then given up to the dead letters with the reason. Nothing is acknowledged
//! before its effect, or RabbitMQ's confirm of its copy, is there.

use crate::copies::{Copies, Copy};
use crate::headers::{Death, Past};
use crate::metrics::QueueMetrics;
use crate::{BrokerError, HandleError, Handler, Message};
use futures::{FutureExt, StreamExt, stream};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, Delay, Queue};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Attempts at a message that fails by itself; `Message::attempt` of the last one.
pub const ATTEMPTS: u32 = 5;
/// Times a message waits for its tier in the shortest delay; after them in the second.
const SHORT_WAITS: u32 = 5;
/// Messages of one batch that are handled alone at the same time.
const ALONE: usize = 8;
/// Before a message is given back whose copy RabbitMQ did not take.
const GIVE_BACK: Duration = Duration::from_secs(1);

/// One queue and its handler.
pub(crate) struct Lane<H> {
    pub queue: Queue,
    pub handler: H,
    pub metrics: Option<QueueMetrics>,
    /// No other batch is under way beside one, so that everything before its last message is settled.
    pub one_at_a_time: bool,
}

enum Fate {
    Done,
    Later(&'static Delay, Past),
    Dead(String),
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

    fn fate(&self, message: &Message, delivery: &Delivery, error: HandleError) -> Fate {
        let (queue, id, kind) = (self.queue.name, message.id, &message.kind);
        tracing::warn!(queue, %id, kind, attempt = message.attempt, "not handled: {error}");
        let Past { attempts, waits } = Past::of(&delivery.properties);
        match error {
            HandleError::Poison(reason) => Fate::Dead(reason),
            HandleError::Failed(reason) if attempts + 1 >= ATTEMPTS => {
                Fate::Dead(format!("{} attempts, the last one: {reason}", attempts + 1))
            }
            HandleError::Failed(_) => {
                let past = Past {
                    attempts: attempts + 1,
                    waits,
                };
                later(attempts as usize, past, "no delay is known")
            }
            HandleError::Unavailable(reason) => {
                let past = Past {
                    attempts,
                    waits: waits.saturating_add(1),
                };
                later(usize::from(waits >= SHORT_WAITS), past, &reason)
            }
        }
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

    async fn settle(&self, copies: &Copies, delivery: &Delivery, fate: Fate, end: &CancellationToken) {
        let settled = match fate {
            Fate::Done => delivery.ack(BasicAckOptions::default()).await,
            Fate::Later(delay, past) => match self.put_off(copies, delivery, delay, past).await {
                Ok(()) => delivery.ack(BasicAckOptions::default()).await,
                Err(error) => self.give_back(delivery, &error, end).await,
            },
            Fate::Dead(reason) => match self.bury(copies, delivery, reason).await {
                Ok(()) => delivery.ack(BasicAckOptions::default()).await,
                // RabbitMQ moves it by itself then, without our reason.
                Err(error) => {
                    tracing::warn!(queue = self.queue.name, "dead letter without its reason: {error}");
                    delivery.reject(BasicRejectOptions { requeue: false }).await
                }
            },
        };
        self.note(settled);
    }

    async fn put_off(
        &self,
        copies: &Copies,
        delivery: &Delivery,
        delay: &Delay,
        past: Past,
    ) -> Result<(), BrokerError> {
        if let Some(metrics) = &self.metrics {
            metrics.retries.inc();
        }
        let copy = Copy {
            exchange: delay.name,
            routing_key: self.queue.name,
            payload: &delivery.data,
            properties: past.onto(&delivery.properties),
        };
        copies.send(copy).await
    }

    async fn bury(&self, copies: &Copies, delivery: &Delivery, reason: String) -> Result<(), BrokerError> {
        if let Some(metrics) = &self.metrics {
            metrics.dead_letters.inc();
        }
        tracing::error!(queue = self.queue.name, "given up: {reason}");
        let death = Death {
            reason,
            queue: self.queue.name.to_owned(),
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let copy = Copy {
            exchange: DEAD_LETTER_EXCHANGE,
            routing_key: self.queue.dead_letters,
            payload: &delivery.data,
            properties: death.onto(&delivery.properties, Past::of(&delivery.properties), now),
        };
        copies.send(copy).await
    }

    async fn give_back(
        &self,
        delivery: &Delivery,
        error: &BrokerError,
        end: &CancellationToken,
    ) -> lapin::Result<bool> {
        tracing::warn!(queue = self.queue.name, "could not be put off, given back: {error}");
        tokio::select! {
            () = end.cancelled() => {}
            () = tokio::time::sleep(GIVE_BACK) => {}
        }
        let options = BasicNackOptions {
            requeue: true,
            multiple: false,
        };
        delivery.nack(options).await
    }

    fn note(&self, settled: lapin::Result<bool>) {
        if let Err(error) = settled {
            tracing::info!(queue = self.queue.name, "not acknowledged, it will come again: {error}");
        }
    }
}

/// The delay with this number, or the longest one.
fn later(number: usize, past: Past, reason: &str) -> Fate {
    match DELAYS.get(number).or(DELAYS.last()) {
        Some(delay) => Fate::Later(delay, past),
        None => Fate::Dead(reason.to_owned()),
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
