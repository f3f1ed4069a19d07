//! Work on one shard: its settings in Patroni, and once it has a primary its database with the role that owns it.

use super::health::{primary, services_exist};
use super::{Shard, config};
use crate::component::standing::{due, secret, standing};
use crate::contract::ComponentPlan;
use crate::names::{self, key};
use crate::object::Waiting;
use crate::observed::{Observed, Seen};
use crate::pod;
use crate::task::{PodAddress, Task};

pub fn add(shard: &Shard<'_>, seen: &Observed, plan: &mut ComponentPlan) {
    if shard.shop.suspend {
        return;
    }
    let mut tasks = Vec::new();
    let pods = reachable_pods(shard, seen);
    if takes_settings(shard, seen) && !pods.is_empty() {
        tasks.push(settings(shard, pods));
    }
    match serving(shard, seen) {
        Ok(()) => tasks.push(database(shard)),
        Err(reason) => plan.waiting.push(Waiting {
            component: shard.component.clone(),
            reason,
        }),
    }
    plan.tasks.extend(tasks.into_iter().filter_map(|task| due(seen, task)));
}

/// A Patroni that answers takes settings whether its Postgres runs or not: a setting with which it does not start could not
/// be corrected otherwise. Only before the shard has served for the first time there is nothing to change yet: Patroni
/// begins with its file.
fn takes_settings(shard: &Shard<'_>, seen: &Observed) -> bool {
    let view = seen.postgres.get(&shard.id).and_then(Seen::known);
    view.is_some_and(|view| primary(view).is_some() || (!view.members.is_empty() && services_exist(seen)))
}

/// Where a Patroni may answer: it does so before its pod is ready.
fn reachable_pods(shard: &Shard<'_>, seen: &Observed) -> Vec<PodAddress> {
    let pods = pod::pods_of(seen, super::COMPONENT, &names::shard_name(&shard.id));
    let pods = pods.known().into_iter().flatten().filter(|pod| !pod::is_leaving(pod));
    pods.filter_map(|pod| pod::patroni(pod)).collect()
}

/// Whether a ready member is the primary; says why not.
fn serving(shard: &Shard<'_>, seen: &Observed) -> Result<(), String> {
    let waits = |why: &str| format!("{}: {why}", shard.words());
    let pods = standing(seen, super::COMPONENT, &names::shard_name(&shard.id)).map_err(|why| waits(&why))?;
    let view = seen.postgres.get(&shard.id).and_then(Seen::known);
    let primary = view.and_then(primary).map(|primary| primary.name.as_str());
    let ready = pods
        .pods
        .iter()
        .any(|pod| pod::is_ready(pod) && Some(pod::name(pod)) == primary);
    ready.then_some(()).ok_or_else(|| waits("no primary yet"))
}

fn settings(shard: &Shard<'_>, pods: Vec<PodAddress>) -> Task {
    let config = serde_json::to_value(config::dynamic(shard)).expect("plain data are JSON");
    Task::EnsurePatroniConfig {
        shard: shard.id.clone(),
        pods,
        config,
    }
}

pub fn database(shard: &Shard<'_>) -> Task {
    let (shop, name) = (shard.shop, &shard.id.database);
    Task::EnsureDatabase {
        shard: shard.id.clone(),
        host: names::host(&shop.namespace, &shard.scope()),
        superuser_password: secret(shop, key::POSTGRES_SUPERUSER),
        role: name.clone(),
        role_password: secret(shop, key::database_password(name)),
        database: name.clone(),
        max_connections: shard.database.max_connections,
    }
}
