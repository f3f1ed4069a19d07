//! The environment of a service's process: every name the operator sets and a service reads.

/// The shop's name, for logs and metrics.
pub const SHOP: &str = "SHOP_NAME";
/// Address the API listens on; default `0.0.0.0:8080`.
pub const LISTEN: &str = "SHOP_LISTEN";
/// Address of health and metrics; default `0.0.0.0:8081`.
pub const LISTEN_ADMIN: &str = "SHOP_LISTEN_ADMIN";
/// Path of the mounted shard map.
pub const SHARD_MAP: &str = "SHOP_SHARD_MAP";
/// The `orders` database: role and password, the same in every shard.
pub const ORDERS_USER: &str = "SHOP_ORDERS_USER";
pub const ORDERS_PASSWORD: &str = "SHOP_ORDERS_PASSWORD";
/// The `catalog` database: its pooler, and its primary for migrations.
pub const CATALOG_HOST: &str = "SHOP_CATALOG_HOST";
pub const CATALOG_PORT: &str = "SHOP_CATALOG_PORT";
pub const CATALOG_PRIMARY_HOST: &str = "SHOP_CATALOG_PRIMARY_HOST";
pub const CATALOG_PRIMARY_PORT: &str = "SHOP_CATALOG_PRIMARY_PORT";
pub const CATALOG_USER: &str = "SHOP_CATALOG_USER";
pub const CATALOG_PASSWORD: &str = "SHOP_CATALOG_PASSWORD";
/// Redis: `host:port`, comma-separated seeds; `cluster` or `single`.
pub const REDIS_ADDRESSES: &str = "SHOP_REDIS_ADDRESSES";
pub const REDIS_MODE: &str = "SHOP_REDIS_MODE";
pub const REDIS_USER: &str = "SHOP_REDIS_USER";
pub const REDIS_PASSWORD: &str = "SHOP_REDIS_PASSWORD";
/// RabbitMQ: `host:port`, comma-separated; the services' own virtual host.
pub const RABBITMQ_ADDRESSES: &str = "SHOP_RABBITMQ_ADDRESSES";
pub const RABBITMQ_VHOST: &str = "SHOP_RABBITMQ_VHOST";
pub const RABBITMQ_USER: &str = "SHOP_RABBITMQ_USER";
pub const RABBITMQ_PASSWORD: &str = "SHOP_RABBITMQ_PASSWORD";
/// Where `order` asks for products: a base URL.
pub const PRODUCT_URL: &str = "SHOP_PRODUCT_URL";
/// Ed25519: the 32-byte seed (base64) that signs access tokens; only `user` has it.
pub const TOKEN_SEED: &str = "SHOP_TOKEN_SEED";
/// Ed25519: the public key (base64) that checks them.
pub const TOKEN_PUBLIC_KEY: &str = "SHOP_TOKEN_PUBLIC_KEY";
/// The value of [`crate::probe::SYNTHETIC_HEADER`] that proves a request comes from the operator.
pub const SYNTHETIC_KEY: &str = "SHOP_SYNTHETIC_KEY";
/// Connections one process may hold to each shard and to the catalogue.
pub const POOL_SIZE: &str = "SHOP_POOL_SIZE";
/// Log filter, as `tracing` reads it; default `info`.
pub const LOG: &str = "SHOP_LOG";
