//! Work on one shard once it has a primary: its settings in Patroni, and its database with the role that owns it.

use super::{Shard, config};
use crate::component::standing::{due, secret, standing};
use crate::contract::ComponentPlan;
use crate::names::{self, key};
use crate::object::Waiting;
use crate::observed::Observed;
use crate::task::{PodAddress, Task};

pub fn add(shard: &Shard<'_>, seen: &Observed, plan: &mut ComponentPlan) {
    if shard.shop.suspend {
        return;
    }
    match serving_pods(shard, seen) {
        Ok(pods) => plan.tasks.extend(
            [settings(shard, pods), database(shard)]
                .into_iter()
                .filter_map(|task| due(seen, task)),
        ),
        Err(reason) => plan.waiting.push(Waiting {
            component: shard.component.clone(),
            reason,
        }),
    }
}

/// The ready members, when one of them is the primary.
fn serving_pods(shard: &Shard<'_>, seen: &Observed) -> Result<Vec<PodAddress>, String> {
    let waits = |why: &str| format!("{}: {why}", shard.words());
    let pods = standing(seen, super::COMPONENT, &names::shard_name(&shard.id)).map_err(|why| waits(&why))?;
    let pods = pods.addresses();
    let view = seen.postgres.get(&shard.id).and_then(|view| view.known());
    let primary = view.and_then(super::health::primary);
    match primary {
        Some(primary) if pods.iter().any(|pod| pod.pod == primary.name) => Ok(pods),
        Some(_) | None => Err(waits("no primary yet")),
    }
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
