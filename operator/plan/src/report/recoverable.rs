//! `Recoverable`: whether the loss of any one node or volume loses no acknowledged order.

use super::conditions::Conditions;
use crate::health::State;
use crate::object::{ComponentId, Plan};
use crate::shop::{Database, ValidatedShop};
use shop_api::condition::RECOVERABLE;

pub fn set(shop: &ValidatedShop, plan: &Plan, conditions: &mut Conditions) {
    let single: Vec<&str> = shop
        .databases
        .iter()
        .filter(|d| d.replicas == 0)
        .map(|d| d.name.as_str())
        .collect();
    let mut exposed = Vec::new();
    for database in shop.databases.iter().filter(|database| database.replicas > 0) {
        let Some(health) = plan.health.get(&ComponentId(format!("postgres/{}", database.name))) else {
            continue;
        };
        if health.state == State::Unknown {
            return conditions.set(
                RECOVERABLE,
                "Unknown",
                "NotObserved",
                &format!("{}: {}", database.name, health.message),
            );
        }
        exposed.extend(
            health
                .shards
                .iter()
                .filter(|shard| shard.in_sync == 0)
                .map(|shard| name(database, shard.index)),
        );
    }
    if !exposed.is_empty() {
        let message = format!("no synchronous replica: {}", exposed.join(", "));
        return conditions.set(RECOVERABLE, "False", "NoSynchronousReplica", &message);
    }
    if single.is_empty() {
        return conditions.set(RECOVERABLE, "True", "SynchronousReplicaInEveryShard", "");
    }
    let message = format!(
        "no replica by choice: {}; a lost volume is lost data",
        single.join(", ")
    );
    conditions.set(RECOVERABLE, "False", "SingleInstance", &message);
}

fn name(database: &Database, index: u16) -> String {
    if database.shards > 1 {
        format!("{} shard {index}", database.name)
    } else {
        database.name.clone()
    }
}
