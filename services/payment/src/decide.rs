//! Between the pure machine and the database: applies what happened to payments in memory and gathers what follows, for
//! one transaction to write: questions to the provider, events for the shop, money that is owed.

use crate::TABLES;
use crate::machine::{Event, News, Operation, Verdict, step};
use crate::provider::{Charge, Key};
use crate::store::payment::Payment;
use crate::store::{batch, refund};
use jiff::Timestamp;
use shop_contract::event::{PAYMENT_AUTHORIZED, PAYMENT_CAPTURED, PAYMENT_DECLINED, PAYMENT_REFUNDED, PaymentEvent};
use shop_kit_events::{Outgoing, append_all};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// A question to the provider, whose intent is durable.
#[derive(Clone, Debug)]
pub struct Call {
    pub key: Key,
    pub charge: Charge,
}

#[derive(Default)]
pub struct Consequences {
    pub calls: Vec<Call>,
    events: Vec<Outgoing>,
    /// Payments whose rest has to be given back, after a while.
    owed: Vec<(Uuid, Duration)>,
    changed: BTreeSet<Uuid>,
}

impl Consequences {
    /// `lease` is how long nobody else asks the question this step may lead to.
    pub fn apply(&mut self, payment: &mut Payment, event: Event, lease: Duration) -> Result<(), sqlx::Error> {
        let before = payment.standing;
        let step = step(before, event);
        payment.standing = step.standing;
        if before != step.standing {
            self.touch(payment.id);
        }
        if let Some(news) = step.tell {
            self.tell(payment, kind(news), payment.amount_cents)?;
        }
        let Some(operation) = step.ask else { return Ok(()) };
        (payment.attempts, payment.wait) = (0, lease);
        self.touch(payment.id);
        let key = match operation {
            Operation::Authorise => Key::Authorise(payment.id),
            Operation::Capture => Key::Capture(payment.id),
            Operation::Void => Key::Void(payment.id),
            Operation::Refund if payment.refunded_cents == payment.amount_cents => {
                return self.apply(payment, Event::Answered(Operation::Refund, Verdict::Done), lease);
            }
            Operation::Refund => {
                self.owed.push((payment.id, Duration::ZERO));
                return Ok(());
            }
        };
        let charge = payment.charge();
        self.calls.push(Call { key, charge });
        Ok(())
    }

    /// A part was given back.
    pub fn refunded(&mut self, payment: &Payment, cents: i64) -> Result<(), sqlx::Error> {
        self.touch(payment.id);
        self.tell(payment, PAYMENT_REFUNDED, cents)
    }

    /// What is owed to refused refunds is asked for later, not at once.
    pub fn put_off_owed(&mut self, payment: Uuid, wait: Duration) {
        self.owed
            .iter_mut()
            .filter(|owed| owed.0 == payment)
            .for_each(|owed| owed.1 = wait);
    }

    pub fn touch(&mut self, payment: Uuid) {
        self.changed.insert(payment);
    }

    pub fn changed(&self, payment: Uuid) -> bool {
        self.changed.contains(&payment)
    }

    /// Writes payments that were locked, and all that follows; returns the questions to ask after the commit.
    pub async fn write(
        self,
        transaction: &mut PgConnection,
        locked: impl Iterator<Item = &Payment>,
    ) -> Result<Vec<Call>, sqlx::Error> {
        let changed: Vec<&Payment> = locked.filter(|payment| self.changed(payment.id)).collect();
        if !changed.is_empty() {
            batch::update(transaction, &changed).await?;
        }
        for (payment, wait) in self.owed {
            refund::owe(transaction, payment, wait).await?;
        }
        append_all(transaction, &TABLES, &self.events).await?;
        Ok(self.calls)
    }

    fn tell(&mut self, payment: &Payment, kind: &'static str, cents: i64) -> Result<(), sqlx::Error> {
        let lines = serde_json::from_str(&payment.lines).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let event = PaymentEvent {
            event_id: Uuid::now_v7(),
            payment_id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            amount_cents: cents,
            currency: payment.currency.clone(),
            reason: payment.reason.clone(),
            lines,
            synthetic: payment.synthetic,
            at: Timestamp::now().to_string(),
        };
        self.events.push(Outgoing::new(event.event_id, kind, &event)?);
        Ok(())
    }
}

fn kind(news: News) -> &'static str {
    match news {
        News::Authorized => PAYMENT_AUTHORIZED,
        News::Declined => PAYMENT_DECLINED,
        News::Captured => PAYMENT_CAPTURED,
    }
}
