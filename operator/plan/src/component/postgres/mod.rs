//! One database: a Patroni cluster per shard, each with its Services and a PgBouncer in front of its primary.
//! Comes in: the validated database and what was seen of its shards. Goes out: objects, tasks, health.

mod config;
mod health;
mod instances;
mod objects;
mod parameters;
mod pod;
mod pooler;
mod tasks;
#[cfg(test)]
mod tests;

use super::applied::Owner;
use super::standing::id;
use crate::contract::{Component, ComponentPlan, Handover, PlanError, Rollout};
use crate::health::Health;
use crate::names;
use crate::object::{ComponentId, Waiting};
use crate::observed::{Observed, ShardId};
use crate::shop::{Database, ValidatedShop};
use crate::topology::shards;
use instances::instances;
use pooler::Servers;

/// Label value of everything here.
const COMPONENT: &str = "postgres";

pub struct Postgres {
    /// `catalog`, `orders` or `payments`.
    pub database: String,
}

/// One shard of it, with all a builder needs.
struct Shard<'a> {
    shop: &'a ValidatedShop,
    database: &'a Database,
    id: ShardId,
    component: ComponentId,
}

impl Component for Postgres {
    fn id(&self) -> ComponentId {
        id(format!("{COMPONENT}/{}", self.database))
    }

    fn needs(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn plan(&self, shop: &ValidatedShop, seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let mut plan = ComponentPlan::default();
        for shard in self.shards(shop) {
            let instances = instances(&shard, seen);
            plan.objects.extend(objects::objects(&shard, instances.count, seen));
            for servers in Servers::of(&shard) {
                plan.objects.extend(pooler::objects(&shard, *servers));
            }
            tasks::add(&shard, seen, &mut plan);
            plan.waiting.extend(instances.waiting.map(|reason| Waiting {
                component: self.id(),
                reason,
            }));
            match instances.handover {
                // No restart meanwhile: it could ask for the same switchover.
                Some(handover) => plan.tasks.push(handover),
                None => plan.rollouts.push(rollout(&shard)),
            }
        }
        Ok(plan)
    }

    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health {
        health::health(&self.shards(shop), seen)
    }
}

fn rollout(shard: &Shard<'_>) -> Rollout {
    Rollout {
        stateful_set: shard.scope(),
        handover: Handover::Postgres(shard.id.clone()),
        rehearse: vec![pod::PROGRAM.into(), "--version".into()],
    }
}

/// The pods of a database, as many as there are now.
pub fn pods(shop: &ValidatedShop, database: &str, seen: &Observed) -> Vec<String> {
    let postgres = Postgres {
        database: database.into(),
    };
    let of = |shard: &Shard<'_>| {
        let scope = shard.scope();
        (0..instances(shard, seen).count).map(move |ordinal| names::pod(&scope, ordinal))
    };
    postgres.shards(shop).iter().flat_map(of).collect()
}

impl Postgres {
    fn shards<'a>(&self, shop: &'a ValidatedShop) -> Vec<Shard<'a>> {
        let database = shop.database(&self.database);
        let shard = |shard| Shard {
            shop,
            database,
            id: shard,
            component: self.id(),
        };
        shards::ids(database).into_iter().map(shard).collect()
    }
}

impl Shard<'_> {
    fn scope(&self) -> String {
        names::scope(&self.shop.name, &self.id)
    }

    /// Owner of the database's pods and Services.
    fn owner(&self) -> Owner<'_> {
        let name = names::shard_name(&self.id);
        Owner {
            shop: self.shop,
            id: self.component.clone(),
            component: COMPONENT,
            name,
        }
    }

    /// Owner of a pooler's.
    fn pooler_owner(&self, servers: Servers) -> Owner<'_> {
        Owner {
            name: servers.label(self),
            ..self.owner()
        }
    }

    /// `orders shard 1`, or just `catalog`.
    fn words(&self) -> String {
        if self.database.shards > 1 {
            format!("{} shard {}", self.id.database, self.id.index)
        } else {
            self.id.database.clone()
        }
    }

    /// Whether commits wait for a standby: there must be one.
    fn synchronous(&self) -> bool {
        self.database.synchronous && self.database.replicas > 0
    }
}
