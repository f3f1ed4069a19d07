//! The environment the operator gives the process, for servers of a test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use shop_contract::database::{CATALOG, ORDERS, PAYMENTS};
use shop_contract::env;
use shop_contract::shard_map::{Address, FILE, ShardMap};
use std::path::Path;

pub const SYNTHETIC_KEY: &str = "the operator's own key, for tests";
pub const DATABASE_PASSWORD: &str = "test-only";

/// Where everything answers.
pub struct Servers {
    pub postgres: Address,
    pub redis: String,
    pub redis_account: (String, String),
    pub rabbitmq: String,
    pub rabbitmq_account: (String, String),
    pub vhost: String,
    /// The process itself.
    pub own: String,
}

impl Servers {
    /// Nothing listens there.
    pub fn nobody() -> Self {
        let account = || ("shop".to_owned(), "secret".to_owned());
        Self {
            postgres: Address {
                host: "127.0.0.1".into(),
                port: 9,
            },
            redis: "127.0.0.1:9".into(),
            redis_account: account(),
            rabbitmq: "127.0.0.1:9".into(),
            rabbitmq_account: account(),
            vhost: "shop".into(),
            own: "127.0.0.1:9".into(),
        }
    }
}

/// One shard; its map is written into `folder`.
pub fn environment(servers: &Servers, folder: &Path) -> Vec<(&'static str, String)> {
    let at = || servers.postgres.clone();
    let map = ShardMap::even(1, 1, |_| (at(), at()));
    let file = folder.join(FILE);
    std::fs::write(&file, serde_json::to_vec(&map).expect("a map is JSON")).expect("the map is written");
    let mut pairs = vec![
        (env::SHARD_MAP, file.display().to_string()),
        (env::REDIS_ADDRESSES, servers.redis.clone()),
        (env::REDIS_MODE, "single".into()),
        (env::REDIS_USER, servers.redis_account.0.clone()),
        (env::REDIS_PASSWORD, servers.redis_account.1.clone()),
        (env::RABBITMQ_ADDRESSES, servers.rabbitmq.clone()),
        (env::RABBITMQ_VHOST, servers.vhost.clone()),
        (env::RABBITMQ_USER, servers.rabbitmq_account.0.clone()),
        (env::RABBITMQ_PASSWORD, servers.rabbitmq_account.1.clone()),
        (env::PRODUCT_URL, format!("http://{}", servers.own)),
        (env::INVENTORY_URL, format!("http://{}", servers.own)),
        (env::WEBHOOK_SECRET, "w".repeat(32)),
        (env::SYNTHETIC_KEY, SYNTHETIC_KEY.into()),
    ];
    pairs.extend(keys());
    pairs.extend(databases(&servers.postgres));
    pairs
}

fn keys() -> [(&'static str, String); 2] {
    let seed = [7; 32];
    let public = SigningKey::from_bytes(&seed).verifying_key();
    [
        (env::TOKEN_SEED, STANDARD.encode(seed)),
        (env::TOKEN_PUBLIC_KEY, STANDARD.encode(public.as_bytes())),
    ]
}

/// Pooler and primary are one.
fn databases(at: &Address) -> Vec<(&'static str, String)> {
    let hosts = [
        env::CATALOG_HOST,
        env::CATALOG_PRIMARY_HOST,
        env::PAYMENTS_HOST,
        env::PAYMENTS_PRIMARY_HOST,
    ];
    let ports = [
        env::CATALOG_PORT,
        env::CATALOG_PRIMARY_PORT,
        env::PAYMENTS_PORT,
        env::PAYMENTS_PRIMARY_PORT,
    ];
    let users = [
        (env::ORDERS_USER, ORDERS),
        (env::CATALOG_USER, CATALOG),
        (env::PAYMENTS_USER, PAYMENTS),
    ];
    let passwords = [env::ORDERS_PASSWORD, env::CATALOG_PASSWORD, env::PAYMENTS_PASSWORD];
    let mut pairs: Vec<_> = hosts.iter().map(|name| (*name, at.host.clone())).collect();
    pairs.extend(ports.iter().map(|name| (*name, at.port.to_string())));
    pairs.extend(users.iter().map(|(name, user)| (*name, (*user).to_owned())));
    pairs.extend(passwords.iter().map(|name| (*name, DATABASE_PASSWORD.to_owned())));
    pairs
}
