//! What every other component stands on: the generated Secret, the shard map, the account of Patroni with its rights.
//! The map never changes on a guess: while the published one cannot be read, it is left as it is.

#[cfg(test)]
mod tests;

use super::applied::Owner;
use super::postgres;
use super::standing::id;
use crate::contract::{Component, ComponentPlan, PlanError};
use crate::health::{Health, State};
use crate::names::{self, key};
use crate::object::{Body, ComponentId, GeneratedKey, Generator, Object, Waiting, Wave};
use crate::observed::{Observed, Seen};
use crate::shop::ValidatedShop;
use crate::topology::shards;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use shop_contract::shard_map::{FILE, ShardMap};

pub const ID: &str = "shop";

pub struct Ground;

impl Component for Ground {
    fn id(&self) -> ComponentId {
        id(ID)
    }

    fn needs(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn plan(&self, shop: &ValidatedShop, seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let owner = Owner {
            shop,
            id: self.id(),
            component: "service",
            name: "shop".into(),
        };
        let mut plan = ComponentPlan {
            objects: vec![secret(&owner)],
            ..ComponentPlan::default()
        };
        plan.objects.extend(patroni_account(
            &Owner {
                component: "postgres",
                name: "postgres".into(),
                ..owner_of(&owner)
            },
            seen,
        ));
        match wanted_map(shop, &seen.shard_map) {
            Ok(map) => plan.objects.push(map_object(&owner, &map)),
            Err(reason) => plan.waiting.push(Waiting {
                component: self.id(),
                reason,
            }),
        }
        Ok(plan)
    }

    fn health(&self, _shop: &ValidatedShop, seen: &Observed) -> Health {
        match &seen.shard_map {
            Seen::Known(_) => Health::new(State::Ready, "", 0, 0),
            Seen::Absent => Health::new(State::Progressing, "the shard map is not published yet", 0, 0),
            Seen::Unknown(why) => Health::unknown(format!("the shard map cannot be read: {why}")),
        }
    }
}

fn owner_of<'a>(owner: &Owner<'a>) -> Owner<'a> {
    Owner {
        shop: owner.shop,
        id: owner.id.clone(),
        component: owner.component,
        name: owner.name.clone(),
    }
}

fn secret(owner: &Owner<'_>) -> Object {
    let password = |length| {
        move |key: String| GeneratedKey {
            key,
            how: Generator::Password { length },
        }
    };
    let mut keys: Vec<GeneratedKey> = [key::POSTGRES_SUPERUSER, key::POSTGRES_REPLICATION, key::POSTGRES_REWIND]
        .into_iter()
        .chain([
            key::REDIS_PASSWORD,
            key::RABBITMQ_ADMIN,
            key::RABBITMQ_SHOP,
            key::ERLANG_COOKIE,
            key::SYNTHETIC_KEY,
            key::WEBHOOK_SECRET,
        ])
        .map(str::to_owned)
        .chain(shop_contract::database::ALL.map(key::database_password))
        .map(password(32))
        .collect();
    keys.push(GeneratedKey {
        key: key::TOKEN_SEED.into(),
        how: Generator::Seed,
    });
    let public = Generator::Ed25519PublicKeyOf {
        key: key::TOKEN_SEED.into(),
    };
    keys.push(GeneratedKey {
        key: key::TOKEN_PUBLIC_KEY.into(),
        how: public,
    });
    let body = Body::Generated {
        name: names::secret(&owner.shop.name),
        labels: owner.labels(),
        keys,
    };
    Object {
        component: owner.id.clone(),
        wave: Wave::Ground,
        body,
    }
}

/// The map to publish: the published one for as long as its content is the wanted one, else the next generation. One
/// that was deleted or spoilt is written again under the generation it had, which the status remembers.
fn wanted_map(shop: &ValidatedShop, published: &Seen<ShardMap>) -> Result<ShardMap, String> {
    let wanted = shards::even_map(shop);
    match published {
        Seen::Absent => Ok(ShardMap {
            generation: shop.map_generation.max(wanted.generation),
            ..wanted
        }),
        Seen::Unknown(why) => Err(format!("the shard map is left as it is: it cannot be read: {why}")),
        Seen::Known(found) => {
            let same = ShardMap {
                generation: found.generation,
                ..wanted.clone()
            } == *found;
            let generation = if same { found.generation } else { found.generation + 1 };
            Ok(ShardMap { generation, ..wanted })
        }
    }
}

fn map_object(owner: &Owner<'_>, map: &ShardMap) -> Object {
    let text = serde_json::to_string_pretty(map).expect("a shard map is JSON");
    owner.config_map(&names::shard_map(&owner.shop.name), &[(FILE, text)])
}

/// Patroni keeps its state in Endpoints and marks its own pod; it may touch those of this shop and nothing else.
fn patroni_account(owner: &Owner<'_>, seen: &Observed) -> Vec<Object> {
    let shop = &owner.shop.name;
    let name = names::postgres_account(shop);
    let account = ServiceAccount {
        metadata: owner.meta(&name),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    let role = Role {
        metadata: owner.meta(&name),
        rules: Some(patroni_rules(owner.shop, seen)),
    };
    let binding = RoleBinding {
        metadata: owner.meta(&name),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".into(),
            kind: "Role".into(),
            name: name.clone(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name,
            namespace: Some(owner.shop.namespace.clone()),
            api_group: None,
        }]),
    };
    vec![
        owner.object(Wave::Ground, &account),
        owner.object(Wave::Ground, &role),
        owner.object(Wave::Ground, &binding),
    ]
}

fn patroni_rules(shop: &ValidatedShop, seen: &Observed) -> Vec<PolicyRule> {
    let endpoints = shop.databases.iter().flat_map(shards::ids).flat_map(|shard| {
        let mut all = names::patroni_state(&shop.name, &shard).to_vec();
        all.push(names::scope(&shop.name, &shard));
        all
    });
    let pods = shop
        .databases
        .iter()
        .flat_map(|database| postgres::pods(shop, &database.name, seen));
    vec![
        rule("endpoints", &["create", "list", "watch"], Vec::new()),
        rule("endpoints", &["get", "patch", "update"], endpoints.collect()),
        rule("pods", &["list", "watch"], Vec::new()),
        rule("pods", &["get", "patch", "update"], pods.collect()),
    ]
}

fn rule(resource: &str, verbs: &[&str], names: Vec<String>) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        resource_names: (!names.is_empty()).then_some(names),
        ..PolicyRule::default()
    }
}
