//! All of it → status. Comes in: the object as it is, what came of this reconcile, and what was seen. Goes out: the whole
//! status, the same for the same facts, so that an idle shop's status is never written.
//!
//! `Ready` is true while a customer can place an order: every component serves and the last test order passed; for the
//! first time only after a test order of the current generation. It stays true while an update is stuck but the shop
//! serves (then `Stalled` says why), and while an operator that has just started has not tried again. What cannot be
//! looked at makes it `Unknown` once the last test order is old.
//! `Reconciling` and `Stalled` follow kstatus, which Flux, Argo CD and Helm wait on.

mod conditions;
mod ready;
mod recoverable;
mod settled;

use crate::health::Health;
use crate::names;
use crate::object::{ComponentId, Plan};
use crate::observed::{Observed, Seen};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::validate::Problem;
use conditions::Conditions;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use shop_api::condition;
use shop_api::status::{ComponentState, ComponentStatus};
use shop_api::{ShopDeployment, ShopDeploymentStatus};
use shop_contract::database;

/// What came of a reconcile.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// The spec cannot be; nothing was touched.
    Invalid(&'a [Problem]),
    /// The operator could not plan, or its plan did not pass its own check; nothing was touched.
    Blocked(&'a str),
    /// Planned and applied; `trouble` is what failed on the way, in words.
    Planned {
        shop: &'a ValidatedShop,
        plan: &'a Plan,
        trouble: Option<&'a str>,
    },
}

pub fn report(
    shop: &ShopDeployment,
    outcome: Outcome,
    seen: &Observed,
    version: &str,
    now: Timestamp,
) -> ShopDeploymentStatus {
    let before = shop.status.clone().unwrap_or_default();
    if !before.conditions.is_empty() && just_started(seen) && !matches!(outcome, Outcome::Invalid(_)) {
        return before;
    }
    let generation = shop.metadata.generation;
    let mut conditions = Conditions::new(&before.conditions, generation, now);
    let mut status = ShopDeploymentStatus {
        observed_generation: generation,
        version: version.into(),
        conditions: Vec::new(),
        ..before.clone()
    };
    match outcome {
        Outcome::Invalid(problems) => {
            let message = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
            conditions.set(condition::VALID, "False", "SpecInvalid", &message);
            untouched(&mut conditions, "SpecInvalid", &message);
            status.message = format!("invalid: {message}");
        }
        Outcome::Blocked(why) => {
            untouched(&mut conditions, "PlanRefused", why);
            status.message = format!("blocked: {why}");
        }
        Outcome::Planned {
            shop: validated,
            plan,
            trouble,
        } => {
            conditions.set(condition::VALID, "True", "SpecAccepted", "");
            fill(&mut status, validated, plan, seen);
            let facts = ready::Facts {
                plan,
                seen,
                generation,
                problems: pod_problems(seen),
                trouble,
                suspended: validated.suspend,
                now,
            };
            let ready = ready::decide(&facts, conditions.before(condition::READY));
            settled::set(&facts, &ready, &mut conditions);
            recoverable::set(validated, plan, &mut conditions);
            status.message = ready::message(&facts, &ready);
            conditions.set(condition::READY, ready.status, &ready.reason, &ready.message);
        }
    }
    status.conditions = conditions.done();
    status
}

/// A process that has not asked its first question knows less than the status it finds: it leaves that as it is.
fn just_started(seen: &Observed) -> bool {
    let unread = matches!(seen.stateful_sets, Seen::Unknown(_)) || matches!(seen.pods, Seen::Unknown(_));
    let is_postgres = |pod: &&Pod| {
        let labels = pod.metadata.labels.as_ref();
        labels
            .and_then(|all| all.get(names::COMPONENT))
            .is_some_and(|component| component == "postgres")
    };
    let pods = seen.pods.known().map(Vec::as_slice).unwrap_or_default();
    let unasked = seen.postgres.is_empty() && matches!(seen.redis, Seen::Unknown(_));
    unread || (unasked && pods.iter().filter(is_postgres).any(pod::is_ready))
}

/// Nothing was touched: a shop that serves goes on serving, by its last accepted spec.
fn untouched(conditions: &mut Conditions, reason: &str, message: &str) {
    conditions.set(condition::RECONCILING, "False", reason, "waits for an edit");
    conditions.set(condition::STALLED, "True", reason, message);
    let was_ready = conditions
        .before(condition::READY)
        .is_some_and(|ready| ready.status == "True");
    if !was_ready {
        conditions.set(condition::READY, "False", reason, message);
    }
}

fn fill(status: &mut ShopDeploymentStatus, shop: &ValidatedShop, plan: &Plan, seen: &Observed) {
    let of = |prefix: &'static str| plan.health.iter().filter(move |(id, _)| id.0.starts_with(prefix));
    let shards = |health: &Health| health.shards.iter().filter(|shard| shard.primary.is_some()).count();
    let orders = plan
        .health
        .get(&ComponentId(format!("postgres/{}", database::ORDERS)))
        .map_or(0, shards);
    let primaries: usize = of("postgres/").map(|(_, health)| shards(health)).sum();
    let wanted: u32 = shop.databases.iter().map(|database| u32::from(database.shards)).sum();
    status.shards = format!("{orders}/{}", shop.orders().shards);
    status.primaries = format!("{primaries}/{wanted}");
    status.services = format!(
        "{}/{}",
        of("service/").filter(|(_, health)| health.serves()).count(),
        of("service/").count()
    );
    status.components = plan.health.iter().map(|(id, health)| line(id, health)).collect();
    let ready = plan
        .health
        .values()
        .filter(|health| health.state == ComponentState::Ready)
        .count();
    status.summary = format!("{ready}/{} ready", plan.health.len());
    let gateway = names::host(&shop.namespace, &names::gateway(&shop.name));
    status.endpoint = Some(match shop.gateway.node_port {
        Some(node_port) => format!("http://{gateway} (port {node_port} of every node)"),
        None => format!("http://{gateway}"),
    });
    if let Some(map) = seen.shard_map.known() {
        status.shard_map_generation = Some(map.generation);
    }
}

fn line(id: &ComponentId, health: &Health) -> ComponentStatus {
    let Health {
        state,
        message,
        ready,
        wanted,
        shards,
    } = health.clone();
    ComponentStatus {
        name: id.0.clone(),
        state,
        message,
        ready,
        wanted,
        shards,
    }
}

fn pod_problems(seen: &Observed) -> Vec<String> {
    let pods = seen.pods.known().map(Vec::as_slice).unwrap_or_default();
    let mut problems: Vec<String> = pods
        .iter()
        .filter(|pod| !pod::is_leaving(pod) && !pod::is_over(pod))
        .filter_map(pod::problem_of)
        .collect();
    problems.sort();
    problems
}

#[cfg(test)]
mod tests;
