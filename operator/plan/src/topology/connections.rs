//! The connection budget of each database: what the services may open against what PgBouncer and Postgres accept.
//! An overdrawn budget is found here, before anything runs, and not at the first busy hour.

use crate::shop::{Database, Service, ValidatedShop};
use crate::validate::SINGLE;
use shop_contract::database;
use shop_contract::service::{ALL, Uses};

/// Connections Postgres keeps for the superuser (`superuser_reserved_connections`), Patroni, migrations and the driver.
pub const RESERVED: u32 = 20;

/// One database, per shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub database: String,
    /// Services' pools × their most replicas: what PgBouncer has to accept.
    pub clients: u32,
    pub clients_accepted: u32,
    /// All poolers' server connections: what Postgres has to accept, with the reserve.
    pub servers: u32,
    pub max_connections: u32,
}

impl Budget {
    /// What does not fit, in words with the way out.
    pub fn problem(&self) -> Option<String> {
        let Self {
            database,
            clients,
            clients_accepted,
            servers,
            max_connections,
        } = self;
        if clients > clients_accepted {
            return Some(format!(
                "services may open {clients} connections to each shard of {database}, its poolers accept {clients_accepted}: \
                 lower replicas or autoscaling.maxReplicas, or raise the audience"
            ));
        }
        (servers > max_connections).then(|| {
            format!(
                "poolers of {database} and the reserve need {servers} connections of max_connections {max_connections}"
            )
        })
    }
}

pub fn budgets(shop: &ValidatedShop) -> Vec<Budget> {
    shop.databases
        .iter()
        .map(|database| budget(database, &shop.services))
        .collect()
}

fn budget(database: &Database, services: &[Service]) -> Budget {
    let poolers = u32::from(database.pooler.replicas);
    Budget {
        database: database.name.clone(),
        clients: services
            .iter()
            .map(|service| clients(service, &database.name))
            .fold(0, u32::saturating_add),
        clients_accepted: poolers.saturating_mul(database.pooler.max_clients),
        servers: poolers
            .saturating_mul(database.pooler.pool_size)
            .saturating_add(RESERVED),
        max_connections: database.max_connections,
    }
}

/// A rolling update runs a quarter more pods for a while (`maxSurge`, rounded up).
fn clients(service: &Service, database: &str) -> u32 {
    let wanted = match database {
        database::CATALOG => Uses::Catalog,
        database::ORDERS => Uses::Orders,
        database::PAYMENTS => Uses::Payments,
        _ => return 0,
    };
    let Some(known) = service.built_in.filter(|known| known.uses.contains(&wanted)) else {
        return 0;
    };
    let workers = u32::from(service.worker_replicas) * u32::try_from(known.workers.len()).unwrap_or(u32::MAX);
    let pods = u32::from(service.replicas.max()) + workers;
    let pools = if known.name == SINGLE { pools_of_all(wanted) } else { 1 };
    (pods + pods.div_ceil(4))
        .saturating_mul(service.pool_size)
        .saturating_mul(pools)
}

/// In one process every service and every worker still has a pool of its own.
fn pools_of_all(wanted: Uses) -> u32 {
    let using = ALL.iter().filter(|known| known.uses.contains(&wanted));
    let pools = using.map(|known| 1 + known.workers.len()).sum::<usize>();
    u32::try_from(pools).unwrap_or(u32::MAX)
}
