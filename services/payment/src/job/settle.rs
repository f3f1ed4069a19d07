//! Answers of the provider → outcomes. In: a batch of answers, from calls or from a webhook. Out: the questions that
//! follow, after payments, refunds and events were written in one transaction. An answer that comes late or twice
//! changes nothing.

use crate::backoff::{PENDING, REFUSED, pause};
use crate::decide::{Call, Consequences};
use crate::machine::{Event, Operation, Phase, Verdict};
use crate::provider::{Key, Outcome};
use crate::store::payment::{self, Later, Locked, Payment};
use crate::store::refund;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Answer {
    pub key: Key,
    pub outcome: Outcome,
}

/// How long others wait.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// Nobody else asks a question for so long after it was written down.
    pub lease: Duration,
    /// Before a question without an answer is asked again; doubles each time.
    pub first_pause: Duration,
}

/// What answers led to.
pub struct Settled {
    /// The questions that follow.
    pub calls: Vec<Call>,
    /// Payments whose answers were left out.
    pub later: Vec<Later>,
}

pub async fn settle(pool: &Pool, answers: &[Answer], waits: Waits) -> Result<Vec<Call>, StoreError> {
    let mut transaction = pool.begin().await?;
    let settled = settle_in(&mut transaction, answers, waits).await;
    let Settled { calls, later } = settled.map_err(|error| pool.error(&error))?;
    pool.commit(transaction).await?;
    for later in later {
        // That version asks again, under the same key.
        tracing::info!("an answer was not written: {later}");
    }
    Ok(calls)
}

/// In a transaction that writes more than this.
pub async fn settle_in(
    transaction: &mut PgConnection,
    answers: &[Answer],
    waits: Waits,
) -> Result<Settled, sqlx::Error> {
    let ids: Vec<Uuid> = answers.iter().map(|answer| answer.key.payment()).collect();
    let Locked { known, later } = payment::lock_by_id(transaction, &ids).await?;
    let mut locked: BTreeMap<Uuid, Payment> = known.into_iter().map(|locked| (locked.id, locked)).collect();
    let mut consequences = Consequences::default();
    for Answer { key, outcome } in answers {
        let Some(payment) = locked.get_mut(&key.payment()) else {
            if later.iter().all(|later| later.id != key.payment()) {
                tracing::warn!(%key, "an answer about a payment that is not here");
            }
            continue;
        };
        match *key {
            Key::Authorise(_) | Key::Capture(_) | Key::Void(_) => {
                answered(&mut consequences, payment, key.operation(), outcome, waits)?;
            }
            Key::Refund { payment: _, refund } => {
                let found = refund_answered(transaction, &mut consequences, payment, refund, outcome, waits);
                found.await?;
            }
        }
    }
    let calls = consequences.write(transaction, locked.values()).await?;
    Ok(Settled { calls, later })
}

fn answered(
    consequences: &mut Consequences,
    payment: &mut Payment,
    operation: Operation,
    outcome: &Outcome,
    waits: Waits,
) -> Result<(), sqlx::Error> {
    if payment.standing.phase.asking() != Some(operation) {
        return Ok(());
    }
    let verdict = match outcome {
        Outcome::Done => Verdict::Done,
        Outcome::Declined(reason) => {
            payment.reason = Some(reason.clone());
            Verdict::Declined
        }
        Outcome::Pending | Outcome::Unknown(_) => {
            payment.attempts = payment.attempts.saturating_add(1);
            payment.wait = wait(outcome, waits, payment.attempts);
            consequences.touch(payment.id);
            return Ok(());
        }
    };
    consequences.apply(payment, Event::Answered(operation, verdict), waits.lease)
}

async fn refund_answered(
    transaction: &mut PgConnection,
    consequences: &mut Consequences,
    payment: &mut Payment,
    id: Uuid,
    outcome: &Outcome,
    waits: Waits,
) -> Result<(), sqlx::Error> {
    let verdict = match outcome {
        Outcome::Done => {
            let Some(cents) = refund::end(transaction, id, None).await? else {
                return Ok(());
            };
            payment.refunded_cents += cents;
            consequences.refunded(payment, cents)?;
            if payment.refunded_cents < payment.amount_cents {
                return Ok(());
            }
            Verdict::Done
        }
        Outcome::Declined(reason) => {
            let ended = refund::end(transaction, id, Some(reason)).await?;
            if ended.is_none() || payment.standing.phase != Phase::Refunding {
                return Ok(());
            }
            tracing::error!(payment = %payment.id, reason, "a cancelled order's refund was refused");
            Verdict::Declined
        }
        Outcome::Pending | Outcome::Unknown(_) => {
            return refund::put_off(transaction, id, |attempts| wait(outcome, waits, attempts)).await;
        }
    };
    consequences.apply(payment, Event::Answered(Operation::Refund, verdict), waits.lease)?;
    if verdict == Verdict::Declined {
        consequences.put_off_owed(payment.id, REFUSED);
    }
    Ok(())
}

fn wait(outcome: &Outcome, waits: Waits, attempts: i32) -> Duration {
    match outcome {
        Outcome::Pending => PENDING,
        _ => pause(waits.first_pause, attempts, rand::random()),
    }
}
