//! Outboxes: an event that nobody publishes stops a saga without a trace.

use super::{Finding, Limits};
use crate::facts::OutboxFacts;
use crate::invariant::Invariant;

pub fn check_outbox(facts: &OutboxFacts, limits: &Limits) -> Option<Finding> {
    (facts.waiting > 0 && facts.oldest_seconds > limits.outbox_seconds).then(|| Finding {
        invariant: Invariant::OutboxFresh,
        object: facts.object.clone(),
        detail: format!(
            "{} events wait, the oldest ({}) for {} s",
            facts.waiting, facts.oldest_kind, facts.oldest_seconds
        ),
    })
}
