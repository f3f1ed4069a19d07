//! The environment of a service: for each thing it uses, the names of `shop_contract::env`. The user's own variables
//! come last; validation has refused those that start with `SHOP_`.

use super::Program;
use crate::component::fragment::env::{plain, secret};
use crate::component::{rabbitmq, redis, standing};
use crate::names::{self, key};
use crate::observed::ShardId;
use crate::shop::ValidatedShop;
use k8s_openapi::api::core::v1::EnvVar;
use shop_contract::database::{CATALOG, ORDERS};
use shop_contract::service::{PRODUCT, Uses};
use shop_contract::{env, event, port, shard_map};

pub fn environment(program: &Program<'_>) -> Vec<EnvVar> {
    let service = program.service;
    let user = service.env.iter().map(|(name, value)| plain(name, value));
    let Some(built_in) = service.built_in else {
        return user.collect();
    };
    let shop = program.shop;
    let always = vec![
        plain(env::SHOP, shop.name.as_str()),
        plain(env::LISTEN, format!("0.0.0.0:{}", service.port)),
        plain(env::LISTEN_ADMIN, format!("0.0.0.0:{}", port::SERVICE_ADMIN)),
        plain(env::POOL_SIZE, service.pool_size.to_string()),
        key_of(shop, env::SYNTHETIC_KEY, key::SYNTHETIC_KEY),
    ];
    always
        .into_iter()
        .chain(built_in.uses.iter().flat_map(|uses| of(*uses, shop)))
        .chain(user)
        .collect()
}

fn key_of(shop: &ValidatedShop, name: &str, key: impl Into<String>) -> EnvVar {
    secret(name, &standing::secret(shop, key))
}

fn of(uses: Uses, shop: &ValidatedShop) -> Vec<EnvVar> {
    match uses {
        Uses::Orders => vec![
            plain(env::SHARD_MAP, format!("{}/{}", shard_map::MOUNT_PATH, shard_map::FILE)),
            plain(env::ORDERS_USER, ORDERS),
            key_of(shop, env::ORDERS_PASSWORD, key::database_password(ORDERS)),
        ],
        Uses::Catalog => catalog(shop),
        Uses::Redis => vec![
            plain(
                env::REDIS_ADDRESSES,
                address(shop, &names::redis(&shop.name), port::REDIS),
            ),
            plain(env::REDIS_MODE, if shop.redis.cluster() { "cluster" } else { "single" }),
            plain(env::REDIS_USER, redis::USER),
            key_of(shop, env::REDIS_PASSWORD, key::REDIS_PASSWORD),
        ],
        Uses::RabbitMq => vec![
            plain(
                env::RABBITMQ_ADDRESSES,
                address(shop, &names::rabbitmq(&shop.name), port::AMQP),
            ),
            plain(env::RABBITMQ_VHOST, event::VHOST),
            plain(env::RABBITMQ_USER, rabbitmq::USER),
            key_of(shop, env::RABBITMQ_PASSWORD, key::RABBITMQ_SHOP),
        ],
        Uses::TokenSeed => vec![key_of(shop, env::TOKEN_SEED, key::TOKEN_SEED)],
        Uses::TokenPublicKey => vec![key_of(shop, env::TOKEN_PUBLIC_KEY, key::TOKEN_PUBLIC_KEY)],
        Uses::Product => {
            let product = shop.services.iter().find(|service| service.name == PRODUCT.name);
            let port = product.map_or(port::SERVICE, |product| product.port);
            let address = address(shop, &names::service(&shop.name, PRODUCT.name), port);
            vec![plain(env::PRODUCT_URL, format!("http://{address}"))]
        }
    }
}

fn catalog(shop: &ValidatedShop) -> Vec<EnvVar> {
    let shard = ShardId {
        database: CATALOG.into(),
        index: 0,
    };
    let host = |service: String| names::host(&shop.namespace, &service);
    vec![
        plain(env::CATALOG_HOST, host(names::pooler(&shop.name, &shard))),
        plain(env::CATALOG_PORT, port::PGBOUNCER.to_string()),
        plain(env::CATALOG_PRIMARY_HOST, host(names::scope(&shop.name, &shard))),
        plain(env::CATALOG_PRIMARY_PORT, port::POSTGRES.to_string()),
        plain(env::CATALOG_USER, CATALOG),
        key_of(shop, env::CATALOG_PASSWORD, key::database_password(CATALOG)),
    ]
}

fn address(shop: &ValidatedShop, service: &str, port: u16) -> String {
    format!("{}:{port}", names::host(&shop.namespace, service))
}
