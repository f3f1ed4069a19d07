//! What becomes of a message that was not handled. Its tier is down: put off, for as long as that takes, and never
//! counted as its own failure. It fails by itself: tried again after the delays, then given up to the dead letters with
//! the reason. Nothing is acknowledged before RabbitMQ's confirm of its copy is there.

use crate::copies::{Copies, Copy};
use crate::delivery::Lane;
use crate::headers::{Death, Past};
use crate::parcel::{Letter, Parcel};
use crate::{BrokerError, HandleError, Handler, Message};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, Delay};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Attempts at a message that fails by itself; `Message::attempt` of the last one.
const ATTEMPTS: u32 = 5;
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
    pub(crate) fn fate(&self, message: &Message, letter: &Letter<'_>, error: HandleError) -> Fate {
        let (queue, id, kind) = (self.queue.name, message.id, &message.kind);
        tracing::warn!(queue, %id, kind, attempt = message.attempt, "not handled: {error}");
        let Past { attempts, waits } = Past::of(&letter.properties);
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

    pub(crate) async fn settle(
        &self,
        copies: &Copies,
        parcel: &Parcel,
        letter: Letter<'_>,
        fate: Fate,
        end: &CancellationToken,
    ) {
        let settled = match fate {
            Fate::Done => parcel.settled().await,
            Fate::Later(delay, past) => match self.put_off(copies, letter, delay, past).await {
                Ok(()) => parcel.settled().await,
                Err(error) => self.give_back(parcel, &error, end).await,
            },
            Fate::Dead(reason) => match self.bury(copies, letter, reason).await {
                Ok(()) => parcel.settled().await,
                Err(error) => {
                    tracing::warn!(queue = self.queue.name, "dead letter without its reason: {error}");
                    parcel.reject().await
                }
            },
        };
        self.note(settled);
    }

    async fn put_off(&self, copies: &Copies, letter: Letter<'_>, delay: &Delay, past: Past) -> Result<(), BrokerError> {
        if let Some(metrics) = &self.metrics {
            metrics.retries.inc();
        }
        let copy = Copy {
            exchange: delay.name,
            routing_key: self.queue.name,
            payload: letter.payload,
            properties: past.onto(&letter.properties),
        };
        copies.send(copy).await
    }

    async fn bury(&self, copies: &Copies, letter: Letter<'_>, reason: String) -> Result<(), BrokerError> {
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
            payload: letter.payload,
            properties: death.onto(&letter.properties, Past::of(&letter.properties), now),
        };
        copies.send(copy).await
    }

    async fn give_back(&self, parcel: &Parcel, error: &BrokerError, end: &CancellationToken) -> lapin::Result<bool> {
        tracing::warn!(queue = self.queue.name, "could not be put off, given back: {error}");
        tokio::select! {
            () = end.cancelled() => {}
            () = tokio::time::sleep(GIVE_BACK) => {}
        }
        parcel.give_back().await
    }
}

/// The delay with this number, or the longest one.
fn later(number: usize, past: Past, reason: &str) -> Fate {
    match DELAYS.get(number).or(DELAYS.last()) {
        Some(delay) => Fate::Later(delay, past),
        None => Fate::Dead(reason.to_owned()),
    }
}
