//! The environment of a service: for each thing it uses, the names of `shop_contract::env`. The user's own variables
//! come last; validation has refused those that start with `SHOP_`.

use super::{Program, databases};
use crate::component::fragment::env::{plain, secret, secret_if_there};
use crate::component::{rabbitmq, redis, standing};
use crate::names::{self, key};
use crate::shop::{self, ValidatedShop};
use crate::task::SecretRef;
use k8s_openapi::api::core::v1::EnvVar;
use shop_contract::database::ORDERS;
use shop_contract::service::{BuiltIn, INVENTORY, PRODUCT, Uses};
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

pub fn key_of(shop: &ValidatedShop, name: &str, key: impl Into<String>) -> EnvVar {
    secret(name, &standing::secret(shop, key))
}

fn of(uses: Uses, shop: &ValidatedShop) -> Vec<EnvVar> {
    match uses {
        Uses::Orders => vec![
            plain(env::SHARD_MAP, format!("{}/{}", shard_map::MOUNT_PATH, shard_map::FILE)),
            plain(env::ORDERS_USER, ORDERS),
            key_of(shop, env::ORDERS_PASSWORD, key::database_password(ORDERS)),
        ],
        Uses::Catalog => databases::catalog(shop),
        Uses::Payments => databases::payments(shop),
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
        Uses::Product => vec![plain(env::PRODUCT_URL, url(shop, &PRODUCT))],
        Uses::Inventory => vec![plain(env::INVENTORY_URL, url(shop, &INVENTORY))],
        Uses::WebhookSecret => vec![key_of(shop, env::WEBHOOK_SECRET, key::WEBHOOK_SECRET)],
        Uses::Smtp => smtp(shop),
    }
}

fn smtp(shop: &ValidatedShop) -> Vec<EnvVar> {
    let Some(email) = &shop.email else {
        return Vec::new();
    };
    let mut variables = vec![
        plain(env::SMTP_HOST, email.host.as_str()),
        plain(env::SMTP_PORT, email.port.to_string()),
        plain(env::SMTP_TLS, email.tls),
        plain(env::SMTP_FROM, email.from.as_str()),
    ];
    if let Some(name) = &email.secret {
        let of = |key: &str| SecretRef {
            secret: name.clone(),
            key: key.into(),
        };
        variables.push(secret(env::SMTP_USER, &of("user")));
        variables.push(secret(env::SMTP_PASSWORD, &of("password")));
        variables.push(secret_if_there(env::SMTP_AUTHORITY, &of("ca.crt")));
    }
    variables
}

/// Where one service calls another; where all are one process, it calls itself.
fn url(shop: &ValidatedShop, service: &BuiltIn) -> String {
    let found = shop.services.iter().find(|found| found.name == service.name);
    let of = |found: &shop::Service| address(shop, &names::service(&shop.name, service.name), found.port);
    let address = found.map_or_else(|| format!("127.0.0.1:{}", port::SERVICE), of);
    format!("http://{address}")
}

fn address(shop: &ValidatedShop, service: &str, port: u16) -> String {
    format!("{}:{port}", names::host(&shop.namespace, service))
}
