//! `Reconciling` and `Stalled`: whether the operator is still on its way to the spec, and whether it cannot get on.

use super::conditions::Conditions;
use super::ready::{Facts, Ready};
use crate::health::State;
use crate::task::Task;
use shop_api::condition::{RECONCILING, STALLED};

pub fn set(facts: &Facts, ready: &Ready, conditions: &mut Conditions) {
    match stall(facts) {
        Some((reason, message)) => conditions.set(STALLED, "True", reason, &message),
        None => conditions.set(STALLED, "False", "NothingInTheWay", ""),
    }
    match pending(facts, ready, conditions) {
        Some((reason, message)) => conditions.set(RECONCILING, "True", reason, &message),
        None => conditions.set(RECONCILING, "False", "Settled", ""),
    }
}

/// A pod that waiting does not help.
fn stall(facts: &Facts) -> Option<(&'static str, String)> {
    (!facts.problems.is_empty()).then(|| ("PodCannotStart", facts.problems.join("; ")))
}

fn pending(facts: &Facts, ready: &Ready, conditions: &Conditions) -> Option<(&'static str, String)> {
    if facts.suspended {
        let left: u32 = facts.plan.health.values().map(|health| health.ready).sum();
        return (left > 0).then(|| ("Suspending", format!("{left} pods still run")));
    }
    if let Some(trouble) = facts.trouble {
        return Some(("Retrying", trouble.into()));
    }
    if let Some(waiting) = facts.plan.waiting.first() {
        return Some(("Waiting", format!("{}: {}", waiting.component, waiting.reason)));
    }
    if let Some(reason) = facts.plan.tasks.iter().find_map(restart) {
        return Some(("Updating", reason));
    }
    if let Some(coming) = facts.first(State::Progressing) {
        return Some(("Progressing", coming));
    }
    let proven = match facts.proof() {
        Some(proof) => proof.succeeded && Some(proof.generation) == facts.generation,
        // A fresh operator: as it was, if the spec is still the one that was proven.
        None => {
            let before = conditions.before(RECONCILING);
            before.is_some_and(|old| old.status == "False" && old.observed_generation == facts.generation)
        }
    };
    let message = || {
        format!(
            "a test order of generation {} has not passed yet",
            facts.generation.unwrap_or_default()
        )
    };
    (!proven && ready.reason != "CheckoutFails").then(|| ("CheckoutPending", message()))
}

fn restart(task: &Task) -> Option<String> {
    match task {
        Task::RestartPod { pod, uid: _, reason } => Some(format!("pod {pod} is restarted: {reason}")),
        Task::Switchover {
            shard: _,
            pods: _,
            from,
            to,
        } => Some(format!("{from} hands over to {to}")),
        Task::RedisFailover {
            primary,
            replica,
            user: _,
            password: _,
        } => Some(format!("{} hands over to {}", primary.pod, replica.pod)),
        Task::EnsureDatabase { .. }
        | Task::EnsurePatroniConfig { .. }
        | Task::EnsureRedis { .. }
        | Task::EnsureRabbitMq { .. }
        | Task::Prove { .. } => None,
    }
}
