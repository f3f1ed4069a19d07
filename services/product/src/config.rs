//! The settings of `product`, read from the environment the operator sets.

use shop_contract::env;
use shop_kit_config::{Env, HostPort, Secret};
use shop_kit_postgres::CatalogSettings;

#[derive(Clone, Debug)]
pub struct Config {
    pub catalog: CatalogSettings,
    pub redis: RedisSettings,
}

#[derive(Clone, Debug)]
pub struct RedisSettings {
    pub addresses: Vec<HostPort>,
    pub cluster: bool,
    pub user: String,
    pub password: Secret,
}

impl Config {
    pub fn read(env: &Env) -> Option<Self> {
        let (catalog, redis) = (CatalogSettings::read(env), RedisSettings::read(env));
        Some(Self {
            catalog: catalog?,
            redis: redis?,
        })
    }
}

impl RedisSettings {
    fn read(env: &Env) -> Option<Self> {
        let (addresses, user) = (env.host_ports(env::REDIS_ADDRESSES), env.text(env::REDIS_USER));
        let password = env.secret(env::REDIS_PASSWORD);
        let cluster = match env.text(env::REDIS_MODE).as_deref() {
            Some("cluster") => Some(true),
            Some("single") => Some(false),
            Some(other) => {
                env.problem(env::REDIS_MODE, format!("is `{other}`: must be cluster or single"));
                None
            }
            None => None,
        };
        Some(Self {
            addresses: addresses?,
            cluster: cluster?,
            user: user?,
            password: password?,
        })
    }
}
