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
/// Full months whose orders stay attached, at least 1; older partitions are detached by the worker. Unset: all stay.
pub const ORDERS_KEEP_MONTHS: &str = "SHOP_ORDERS_KEEP_MONTHS";
/// The `catalog` database: its pooler, and its primary for migrations.
pub const CATALOG_HOST: &str = "SHOP_CATALOG_HOST";
pub const CATALOG_PORT: &str = "SHOP_CATALOG_PORT";
pub const CATALOG_PRIMARY_HOST: &str = "SHOP_CATALOG_PRIMARY_HOST";
pub const CATALOG_PRIMARY_PORT: &str = "SHOP_CATALOG_PRIMARY_PORT";
pub const CATALOG_USER: &str = "SHOP_CATALOG_USER";
pub const CATALOG_PASSWORD: &str = "SHOP_CATALOG_PASSWORD";
/// The catalogue's replicas, for reads that may lag; unset where there is none.
pub const CATALOG_REPLICA_HOST: &str = "SHOP_CATALOG_REPLICA_HOST";
pub const CATALOG_REPLICA_PORT: &str = "SHOP_CATALOG_REPLICA_PORT";
/// The `payments` database: its pooler, and its primary for migrations.
pub const PAYMENTS_HOST: &str = "SHOP_PAYMENTS_HOST";
pub const PAYMENTS_PORT: &str = "SHOP_PAYMENTS_PORT";
pub const PAYMENTS_PRIMARY_HOST: &str = "SHOP_PAYMENTS_PRIMARY_HOST";
pub const PAYMENTS_PRIMARY_PORT: &str = "SHOP_PAYMENTS_PRIMARY_PORT";
pub const PAYMENTS_USER: &str = "SHOP_PAYMENTS_USER";
pub const PAYMENTS_PASSWORD: &str = "SHOP_PAYMENTS_PASSWORD";
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
/// Where `order` reserves stock: a base URL.
pub const INVENTORY_URL: &str = "SHOP_INVENTORY_URL";
/// The key (HMAC-SHA-256) the payment provider signs its webhooks with.
pub const WEBHOOK_SECRET: &str = "SHOP_WEBHOOK_SECRET";
/// The mail server. Without a host, mails are kept and marked as not sent.
pub const SMTP_HOST: &str = "SHOP_SMTP_HOST";
pub const SMTP_PORT: &str = "SHOP_SMTP_PORT";
/// `none`, `starttls` or `tls`.
pub const SMTP_TLS: &str = "SHOP_SMTP_TLS";
pub const SMTP_USER: &str = "SHOP_SMTP_USER";
pub const SMTP_PASSWORD: &str = "SHOP_SMTP_PASSWORD";
pub const SMTP_FROM: &str = "SHOP_SMTP_FROM";
/// PEM certificates of an authority of one's own that signed the mail server's.
pub const SMTP_AUTHORITY: &str = "SHOP_SMTP_AUTHORITY";
/// Ed25519: the 32-byte seed (base64) that signs access tokens; only `user` has it.
pub const TOKEN_SEED: &str = "SHOP_TOKEN_SEED";
/// Ed25519: the public keys (base64) that check them, comma-separated: a new key is added to every verifier before it
/// signs, and an old one stays until its last token has ended.
pub const TOKEN_PUBLIC_KEY: &str = "SHOP_TOKEN_PUBLIC_KEY";
/// The value of [`crate::probe::SYNTHETIC_HEADER`] that proves a request comes from the operator.
pub const SYNTHETIC_KEY: &str = "SHOP_SYNTHETIC_KEY";
/// Connections one process may hold to each shard and to the catalogue.
pub const POOL_SIZE: &str = "SHOP_POOL_SIZE";
/// Log filter, as `tracing` reads it; default `info`.
pub const LOG: &str = "SHOP_LOG";
