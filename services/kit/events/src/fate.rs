//! What becomes of a message that was not handled. Its tier is down: put off, for as long as that takes, and never
//! counted as its own failure. It fails by itself: tried again after the delays, then given up to the dead letters with
//! the reason. Nothing is acknowledged before RabbitMQ's confirm of its copy is there.

use crate::copies::{Copies, Copy};
use crate::delivery::Lane;
use crate::headers::{Death, Past};
use crate::{BrokerError, HandleError, Handler, Message};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, Delay};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Attempts at a message that fails by itself; `Message::attempt` of the last one.
pub const ATTEMPTS: u32 = 5;
/// Times a message waits for its tier in the shortest delay; after them in the second.
const SHORT_WAITS: u32 = 5;
/// Before a message is given back whose copy RabbitMQ did not take.
const GIVE_BACK: Duration = Duration::from_secs(1);

pub(crate) enum Fate {
    Done,
    Later(&'static Delay, Past),
    Dead(String),
}

impl<H: Handler> Lane<H> {
    pub(crate) fn fate(&self, message: &Message, delivery: &Delivery, error: HandleError) -> Fate {
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

    pub(crate) async fn settle(&self, copies: &Copies, delivery: &Delivery, fate: Fate, end: &CancellationToken) {
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
}

/// The delay with this number, or the longest one.
fn later(number: usize, past: Past, reason: &str) -> Fate {
    match DELAYS.get(number).or(DELAYS.last()) {
        Some(delay) => Fate::Later(delay, past),
        None => Fate::Dead(reason.to_owned()),
    }
}
