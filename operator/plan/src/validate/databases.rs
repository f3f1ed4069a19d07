//! The three databases.

use super::problem::Problems;
use super::{Ask, compute};
use crate::names;
use crate::observed::ShardId;
use crate::shop::{Database, Pooler};
use crate::topology::connections::RESERVED;
use crate::topology::sizing::DatabaseSize;
use shop_api::rule::RESERVED_PARAMETERS;
use shop_api::spec;
use shop_contract::database::{CATALOG, ORDERS, PAYMENTS};

/// Server connections of one pooler beyond which Postgres only gets slower.
const USEFUL_CONNECTIONS: u32 = 40;
/// Idle clients cost PgBouncer about 2 KiB each.
const CLIENTS_PER_POOLER: u32 = 2000;

pub fn databases(ask: &Ask, problems: &mut Problems) -> Vec<Database> {
    let (spec, sizes) = (&ask.spec.postgres, &ask.sizes);
    let shards = problems.fixed(
        "spec.postgres.orders.shards",
        spec.orders.shards,
        ask.standing.orders_shards,
    );
    let shards = problems.between("spec.postgres.orders.shards", shards, sizes.orders.shards, (1, 256));
    vec![
        database(ask, CATALOG, &spec.catalog, sizes.catalog, problems),
        database(
            ask,
            ORDERS,
            &spec.orders.database,
            DatabaseSize { shards, ..sizes.orders },
            problems,
        ),
        database(ask, PAYMENTS, &spec.payments, sizes.payments, problems),
    ]
}

fn database(ask: &Ask, name: &str, spec: &spec::Database, sized: DatabaseSize, problems: &mut Problems) -> Database {
    let field = format!("spec.postgres.{name}");
    let at = |part: &str| format!("{field}.{part}");
    let replicas = problems.between(&at("replicas"), spec.replicas, sized.replicas, (0, 8));
    if spec.synchronous == Some(true) && replicas == 0 {
        problems.add(
            at("synchronous"),
            true,
            "needs replicas of at least 1: a commit waits for a standby",
        );
    }
    for parameter in spec.parameters.keys() {
        if !is_parameter(parameter) {
            let rule =
                "must be a parameter's name: lower-case letters, digits, '_' and '.', starting with a letter or '_'";
            problems.add(at("parameters"), parameter, rule);
        } else if RESERVED_PARAMETERS.contains(&parameter.as_str()) {
            let rule = "is set by the operator itself: leave it out";
            problems.add(at("parameters"), parameter, rule);
        }
    }
    let (resources, memory) = compute::resources(&at("resources"), &spec.resources, sized.compute, problems);
    let set = names::scope(
        ask.shop,
        &ShardId {
            database: name.into(),
            index: 0,
        },
    );
    let standing = ask.standing.volumes.get(&set);
    Database {
        name: name.into(),
        image: ask
            .spec
            .postgres
            .image
            .clone()
            .unwrap_or_else(|| ask.inputs.images.postgres.clone()),
        shards: sized.shards,
        replicas,
        storage: compute::storage(&at("storage"), &spec.storage, sized.storage, standing, problems),
        resources,
        memory,
        parameters: spec.parameters.clone(),
        synchronous: spec.synchronous.unwrap_or(replicas > 0),
        max_connections: sized.max_connections,
        pooler: pooler(ask, sized, problems),
    }
}

/// Postgres takes any mix of cases for the same parameter; here it has one name, so that a reserved one is recognised.
fn is_parameter(name: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.';
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') && name.bytes().all(within)
}

fn pooler(ask: &Ask, sized: DatabaseSize, problems: &mut Problems) -> Pooler {
    let (resources, _) = compute::resources("", &spec::Resources::default(), ask.sizes.pooler, problems);
    let share = sized.max_connections.saturating_sub(RESERVED) / u32::from(sized.poolers.max(1));
    Pooler {
        replicas: sized.poolers,
        pool_size: share.min(USEFUL_CONNECTIONS),
        max_clients: CLIENTS_PER_POOLER,
        resources,
    }
}
