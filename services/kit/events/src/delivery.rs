//! What becomes of a batch. Handled: acknowledged. Not handled: each message alone, so that one does not hold up the
//! others, and `fate` decides about each. Nothing is acknowledged before its effect is there.

use crate::copies::Copies;
use crate::fate::Fate;
use crate::metrics::QueueMetrics;
use crate::parcel::Parcel;
use crate::{HandleError, Handler, Message};
use futures::{FutureExt, StreamExt, stream};
use lapin::message::Delivery;
use shop_contract::event::Queue;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Messages of one batch that are handled alone at the same time.
const ALONE: usize = 8;

/// One queue and its handler.
pub(crate) struct Lane<H> {
    pub queue: Queue,
    pub handler: H,
    pub metrics: Option<QueueMetrics>,
}

impl<H: Handler> Lane<H> {
    pub async fn deliver(&self, copies: &Copies, batch: Vec<Delivery>, end: &CancellationToken) {
        let (mut parcels, mut messages, mut unreadable) = (Vec::with_capacity(batch.len()), Vec::new(), Vec::new());
        for delivery in batch {
            match Parcel::open(delivery) {
                (parcel, Ok(events)) => {
                    messages.extend(events.into_iter().map(|event| (parcels.len(), event)));
                    parcels.push(parcel);
                }
                (parcel, Err(reason)) => unreadable.push((parcel, reason)),
            }
        }
        let (of, messages): (Vec<usize>, Vec<Message>) = messages.into_iter().unzip();
        if let Some(metrics) = &self.metrics {
            metrics.deliveries.inc_by((messages.len() + unreadable.len()) as u64);
        }
        for (parcel, reason) in unreadable {
            self.settle(copies, &parcel, parcel.whole(), Fate::Dead(reason), end)
                .await;
        }
        match self.handle(&messages).await {
            Ok(()) => self.acknowledge(&parcels).await,
            Err(error) => {
                tracing::warn!(
                    queue = self.queue.name,
                    messages = messages.len(),
                    "not handled: {error}"
                );
                let items: Vec<_> = of.iter().map(|index| &parcels[*index]).zip(&messages).collect();
                self.one_by_one(copies, &items, error, end).await;
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
        items: &[(&Parcel, &Message)],
        error: HandleError,
        end: &CancellationToken,
    ) {
        if let [(parcel, message)] = items {
            let letter = parcel.letter(message);
            let fate = self.fate(message, &letter, error);
            return self.settle(copies, parcel, letter, fate, end).await;
        }
        let alone: Vec<_> = items
            .iter()
            .map(|(parcel, message)| self.alone(copies, parcel, message, end))
            .collect();
        stream::iter(alone).buffer_unordered(ALONE).collect::<()>().await;
    }

    async fn alone(&self, copies: &Copies, parcel: &Parcel, message: &Message, end: &CancellationToken) {
        let letter = parcel.letter(message);
        let fate = match self.handle(std::slice::from_ref(message)).await {
            Ok(()) => Fate::Done,
            Err(error) => self.fate(message, &letter, error),
        };
        self.settle(copies, parcel, letter, fate, end).await;
    }

    async fn acknowledge(&self, parcels: &[Parcel]) {
        let Some(last) = parcels.last() else {
            return;
        };
        // No other batch is under way beside one, so everything before its last message is settled.
        self.note(last.acknowledge_all_before().await);
    }

    pub(crate) fn note(&self, settled: lapin::Result<bool>) {
        if let Err(error) = settled {
            tracing::info!(queue = self.queue.name, "not acknowledged, it will come again: {error}");
        }
    }
}
