//! The settings of `product`, read from the environment the operator sets. The worker and the API need other ones.

use shop_contract::env;
use shop_kit_config::{Env, HostPort, Secret};
use shop_kit_events::Broker;
use shop_kit_postgres::CatalogSettings;
use shop_kit_token::Verifier;

#[derive(Clone, Debug)]
pub struct ApiConfig {
    pub catalog: CatalogSettings,
    /// None: nothing is cached.
    pub redis: Option<RedisSettings>,
    pub verifier: Verifier,
}

#[derive(Clone, Debug)]
pub struct WorkConfig {
    pub catalog: CatalogSettings,
    pub redis: Option<RedisSettings>,
    pub broker: Broker,
}

#[derive(Clone, Debug)]
pub struct RedisSettings {
    pub addresses: Vec<HostPort>,
    pub cluster: bool,
    pub user: String,
    pub password: Secret,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (catalog, redis) = (CatalogSettings::read(env), RedisSettings::read(env));
        let verifier = Verifier::read(env);
        Some(Self {
            catalog: catalog?,
            redis: redis?,
            verifier: verifier?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (catalog, redis) = (CatalogSettings::read(env), RedisSettings::read(env));
        let broker = Broker::read(env);
        Some(Self {
            catalog: catalog?,
            redis: redis?,
            broker: broker?,
        })
    }
}

impl RedisSettings {
    /// `Some(None)` when no address is set: a shop without a cache.
    fn read(env: &Env) -> Option<Option<Self>> {
        if env.optional(env::REDIS_ADDRESSES).is_none() {
            return Some(None);
        }
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
        Some(Some(Self {
            addresses: addresses?,
            cluster: cluster?,
            user: user?,
            password: password?,
        }))
    }
}
