//! The provider of a shop without a real one: its token decides how each question goes. Behaves like a system
//! elsewhere: it is slow, silent or down at times, and what it did stands in its own ledger whoever heard of it.

use crate::provider::gather::Gather;
use crate::provider::ledger::{self, Entry, Noted};
use crate::provider::token::{Course, course};
use crate::provider::{Charge, Outcome, Provider};
use rand::RngExt;
use shop_kit_postgres::Pool;
use std::time::Duration;

/// How it behaves beyond its tokens, for fault runs and measurements.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestSettings {
    /// Of a hundred questions, so many stay without an answer; half of them took effect.
    pub timeout_percent: u8,
    /// Added to every question.
    pub delay: Duration,
}

#[derive(Clone)]
pub struct TestProvider {
    pool: Pool,
    books: Gather,
    settings: TestSettings,
}

/// A question that stays open: whoever asks has to stop waiting.
enum Silence {
    None,
    Before,
    After,
}

impl TestProvider {
    /// Must be called inside a runtime.
    pub fn new(pool: Pool, settings: TestSettings) -> Self {
        Self {
            books: Gather::start(pool.clone()),
            pool,
            settings,
        }
    }

    async fn ask(&self, operation: &'static str, key: &str, charge: &Charge) -> Outcome {
        let course = course(&charge.token, charge.synthetic);
        if !charge.synthetic {
            tokio::time::sleep(self.settings.delay + course.delay).await;
        }
        let silence = self.silence(charge.synthetic);
        if matches!(silence, Silence::Before) {
            return std::future::pending().await;
        }
        let noted = match self.books.note(entry(operation, key, charge, course)).await {
            Ok(noted) => noted,
            Err(error) => return Outcome::Unknown(error),
        };
        if matches!(silence, Silence::After) || noted.attempts < course.answers_at {
            return std::future::pending().await;
        }
        self.answer(key, course, noted).await
    }

    async fn answer(&self, key: &str, course: Course, noted: Noted) -> Outcome {
        if !noted.took_effect {
            return Outcome::Unknown("the provider is down for a moment".to_owned());
        }
        if course.webhooks > 0 && noted.attempts == 1 {
            let promised = ledger::promise(&self.pool, key, noted.declined.as_deref(), course.webhooks).await;
            return match promised {
                Ok(()) => Outcome::Pending,
                Err(error) => Outcome::Unknown(error.to_string()),
            };
        }
        noted.declined.map_or(Outcome::Done, Outcome::Declined)
    }

    fn silence(&self, synthetic: bool) -> Silence {
        let mut random = rand::rng();
        let silent = !synthetic && random.random_range(0..100) < self.settings.timeout_percent;
        match (silent, random.random_bool(0.5)) {
            (false, _) => Silence::None,
            (true, false) => Silence::Before,
            (true, true) => Silence::After,
        }
    }
}

impl Provider for TestProvider {
    async fn authorise(&self, key: &str, charge: &Charge) -> Outcome {
        self.ask("authorise", key, charge).await
    }

    async fn capture(&self, key: &str, charge: &Charge) -> Outcome {
        self.ask("capture", key, charge).await
    }

    async fn void(&self, key: &str, charge: &Charge) -> Outcome {
        self.ask("void", key, charge).await
    }

    async fn refund(&self, key: &str, charge: &Charge) -> Outcome {
        self.ask("refund", key, charge).await
    }
}

fn entry(operation: &'static str, key: &str, charge: &Charge, course: Course) -> Entry {
    Entry {
        key: key.to_owned(),
        operation,
        payment_id: charge.payment_id,
        order_id: charge.order_id,
        amount_cents: charge.amount_cents,
        currency: charge.currency.clone(),
        declined: course.declined,
        needed_attempts: course.happens_at,
        synthetic: charge.synthetic,
    }
}
