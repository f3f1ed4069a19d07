//! Ports, each named once.

/// A service's API.
pub const SERVICE: u16 = 8080;
/// A service's health and metrics; never behind the gateway.
pub const SERVICE_ADMIN: u16 = 8081;
/// The gateway's listener.
pub const GATEWAY: u16 = 8080;
/// Envoy's own admin interface, inside the pod only.
pub const GATEWAY_ADMIN: u16 = 9901;
pub const POSTGRES: u16 = 5432;
pub const PATRONI: u16 = 8008;
pub const PGBOUNCER: u16 = 6432;
pub const REDIS: u16 = 6379;
pub const REDIS_BUS: u16 = 16379;
pub const AMQP: u16 = 5672;
pub const RABBITMQ_MANAGEMENT: u16 = 15672;
pub const RABBITMQ_METRICS: u16 = 15692;
/// Erlang's port mapper and the port between RabbitMQ nodes.
pub const RABBITMQ_EPMD: u16 = 4369;
pub const RABBITMQ_CLUSTER: u16 = 25672;
/// The operator's health and metrics.
pub const OPERATOR_ADMIN: u16 = 8080;
