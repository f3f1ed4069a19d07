//! Asks the provider, outside of any transaction: many questions at a time, each for a limited time, and writes the
//! answers in batches as they come. What is lost here, with the process or on the way, is asked again under its key.

use crate::decide::Call;
use crate::job::settle::{Answer, Waits, settle};
use crate::machine::Operation;
use crate::provider::{Outcome, Provider};
use prometheus::{IntCounterVec, Opts, Registry};
use shop_kit_postgres::Pool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

/// Answers written in one transaction at most.
const BATCH: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct AskSettings {
    /// For one question; without an answer by then it may or may not have happened.
    pub timeout: Duration,
    /// Questions open at a time.
    pub at_once: usize,
    pub waits: Waits,
}

impl Default for AskSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            at_once: 512,
            waits: Waits {
                lease: Duration::from_secs(15),
                first_pause: Duration::from_millis(200),
            },
        }
    }
}

/// Questions under way. Cloning shares them.
pub struct Ask<P> {
    provider: Arc<P>,
    pub settings: AskSettings,
    places: Arc<Semaphore>,
    answers: mpsc::UnboundedSender<Answer>,
    under_way: TaskTracker,
    asked: IntCounterVec,
}

impl<P> Clone for Ask<P> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            settings: self.settings,
            places: self.places.clone(),
            answers: self.answers.clone(),
            under_way: self.under_way.clone(),
            asked: self.asked.clone(),
        }
    }
}

impl<P: Provider> Ask<P> {
    /// What takes the answers is to be run beside; see [`Answers::write_all`].
    pub fn new(provider: P, settings: AskSettings, registry: &Registry) -> prometheus::Result<(Self, Answers)> {
        let asked = IntCounterVec::new(
            Opts::new(
                "shop_payment_calls_total",
                "Questions to the provider, by operation and answer",
            ),
            &["operation", "answer"],
        )?;
        registry.register(Box::new(asked.clone()))?;
        // Bounded by the places: an answer is sent while its place is held.
        let (answers, waiting) = mpsc::unbounded_channel();
        let this = Self {
            provider: Arc::new(provider),
            settings,
            places: Arc::new(Semaphore::new(settings.at_once)),
            answers,
            under_way: TaskTracker::new(),
            asked,
        };
        Ok((this, Answers { waiting }))
    }

    /// Returns when each question has its place, which holds up whoever brings more than the provider takes.
    pub async fn all(&self, calls: Vec<Call>) {
        for call in calls {
            let Ok(place) = self.places.clone().acquire_owned().await else {
                return;
            };
            let this = self.clone();
            self.under_way.spawn(async move {
                let answer = this.one(call).await;
                // Nobody takes answers any more when the process ends; the intent stays.
                let _ = this.answers.send(answer);
                drop(place);
            });
        }
    }

    /// Asks no more and waits for the questions under way.
    pub async fn finish(&self) {
        self.places.close();
        self.under_way.close();
        self.under_way.wait().await;
    }

    async fn one(&self, Call { key, charge }: Call) -> Answer {
        let (operation, text) = (key.operation(), key.to_string());
        let asked = async {
            match operation {
                Operation::Authorise => self.provider.authorise(&text, &charge).await,
                Operation::Capture => self.provider.capture(&text, &charge).await,
                Operation::Void => self.provider.void(&text, &charge).await,
                Operation::Refund => self.provider.refund(&text, &charge).await,
            }
        };
        let outcome = match tokio::time::timeout(self.settings.timeout, asked).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Unknown("no answer in time".to_owned()),
        };
        if let Outcome::Unknown(why) = &outcome {
            tracing::info!(key = text, "to be asked again: {why}");
        }
        self.asked.with_label_values(&[name(operation), answer(&outcome)]).inc();
        Answer { key, outcome }
    }
}

/// The other end of [`Ask`].
pub struct Answers {
    waiting: mpsc::UnboundedReceiver<Answer>,
}

impl Answers {
    /// Runs until `ended` resolves and nothing waits any more.
    pub async fn write_all<P: Provider>(mut self, pool: Pool, ask: Ask<P>, ended: impl Future<Output = ()>) {
        tokio::pin!(ended);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                _ = self.waiting.recv_many(&mut batch, BATCH) => {}
                () = &mut ended => return,
            }
            match settle(&pool, &batch, ask.settings.waits).await {
                // Beside, because places become free only as answers are taken.
                Ok(calls) if !calls.is_empty() => {
                    let ask = ask.clone();
                    tokio::spawn(async move { ask.all(calls).await });
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("answers not written, to be asked again: {error}"),
            }
            batch.clear();
        }
    }
}

fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Authorise => "authorise",
        Operation::Capture => "capture",
        Operation::Void => "void",
        Operation::Refund => "refund",
    }
}

fn answer(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Declined(_) => "declined",
        Outcome::Pending => "pending",
        Outcome::Unknown(_) => "unknown",
    }
}
