//! Whether a customer can place an order now, and the one line a person reads first.

use crate::health::State;
use crate::object::Plan;
use crate::observed::{Observed, ProofView, Seen};
use crate::policy::proof::INTERVAL;
use crate::task::PROVE;
use jiff::{SignedDuration, Timestamp};
use shop_api::condition::Condition;
use std::time::Duration;

/// A test order that is older says nothing of now. Three intervals, so that a slow one or two change nothing.
const OLD: Duration = INTERVAL.saturating_mul(3);

pub struct Facts<'a> {
    pub plan: &'a Plan,
    pub seen: &'a Observed,
    pub generation: Option<i64>,
    /// Pods that will not come up by waiting, in words.
    pub problems: Vec<String>,
    pub trouble: Option<&'a str>,
    pub suspended: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    pub status: &'static str,
    pub reason: String,
    pub message: String,
}

impl Facts<'_> {
    pub fn proof(&self) -> Option<&ProofView> {
        self.seen.proof.known()
    }
    /// What a component in this state says of itself; its message names the object.
    pub fn first(&self, state: State) -> Option<String> {
        let found = self.plan.health.iter().find(|(_, health)| health.state == state);
        found.map(|(id, health)| {
            if health.message.is_empty() {
                id.to_string()
            } else {
                health.message.clone()
            }
        })
    }
    /// What cannot be looked at, when no recent test order vouches for it. A process that has not placed any yet knows no
    /// better than the status it finds, unless it tried in vain.
    fn unseen(&self) -> Option<String> {
        let recent = match &self.seen.proof {
            Seen::Known(proof) => age(proof, self.now).is_some_and(|age| age.unsigned_abs() <= OLD),
            Seen::Absent | Seen::Unknown(_) => self.seen.done.get(PROVE).is_none_or(|tried| tried.succeeded),
        };
        if recent { None } else { self.first(State::Unknown) }
    }
    fn cause(&self) -> String {
        self.problems
            .first()
            .map_or(String::new(), |problem| format!("; {problem}"))
    }
}

fn age(proof: &ProofView, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(proof.at.parse().ok()?))
}

pub fn decide(facts: &Facts, before: Option<&Condition>) -> Ready {
    let was_ready = before.is_some_and(|ready| ready.status == "True");
    let no = |reason: &str, message: String| Ready {
        status: "False",
        reason: reason.into(),
        message,
    };
    if facts.suspended {
        return no("Suspended", "every workload is scaled to zero; data are kept".into());
    }
    if let Some(down) = facts.first(State::Unavailable) {
        return no("ComponentUnavailable", format!("{down}{}", facts.cause()));
    }
    if let Some(coming) = facts.first(State::Progressing) {
        let reason = if facts.problems.is_empty() {
            "Progressing"
        } else {
            "PodCannotStart"
        };
        return no(reason, format!("{coming}{}", facts.cause()));
    }
    let not_observed = |unknown| Ready {
        status: "Unknown",
        reason: "NotObserved".into(),
        message: unknown,
    };
    if let Some(unknown) = facts.unseen() {
        return not_observed(unknown);
    }
    match &facts.seen.proof {
        Seen::Known(proof) if !proof.succeeded => no("CheckoutFails", failed(proof)),
        Seen::Known(proof) if was_ready || Some(proof.generation) == facts.generation => succeeded(facts),
        _ if was_ready => still(facts, before),
        _ => match facts.first(State::Unknown) {
            Some(unknown) => not_observed(unknown),
            None => no(
                "CheckoutPending",
                "every component serves; the first test order is under way".into(),
            ),
        },
    }
}

fn failed(proof: &ProofView) -> String {
    let tier = proof.tier.as_deref().unwrap_or("an unknown tier");
    format!("a test order fails at {tier}: {}", proof.message)
}

fn succeeded(facts: &Facts) -> Ready {
    let yes = |reason: &str, message: String| Ready {
        status: "True",
        reason: reason.into(),
        message,
    };
    match facts.problems.first() {
        Some(problem) => yes(
            "ServingWithTrouble",
            format!("a test order passes every tier; {problem}"),
        ),
        None => yes("CheckoutSucceeds", "a test order passes every tier".into()),
    }
}

/// No test order since the operator started, but the shop was Ready and every component may serve.
fn still(facts: &Facts, before: Option<&Condition>) -> Ready {
    match before {
        Some(old) if facts.problems.is_empty() && old.reason == "CheckoutSucceeds" => Ready {
            status: "True",
            reason: old.reason.clone(),
            message: old.message.clone(),
        },
        _ => succeeded(facts),
    }
}

/// One line: what is, and why.
pub fn message(facts: &Facts, ready: &Ready) -> String {
    if ready.status != "True" {
        return ready.message.clone();
    }
    if let Some(problem) = facts.problems.first() {
        return format!("serving; {problem}");
    }
    if let Some(trouble) = facts.trouble {
        return format!("serving; {trouble}");
    }
    if let Some(waiting) = facts.plan.waiting.first() {
        return format!("serving; {}: {}", waiting.component, waiting.reason);
    }
    match facts.first(State::Degraded).or_else(|| facts.first(State::Unknown)) {
        Some(doubt) => format!("serving; {doubt}"),
        None => "serving".into(),
    }
}
