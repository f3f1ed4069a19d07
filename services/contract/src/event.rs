//! Events and the queues they travel through. The operator creates the topology, services only use it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Virtual host of the shop's own traffic.
pub const VHOST: &str = "shop";
/// Topic exchange every event is published to; routing key = the event's type.
pub const EXCHANGE: &str = "shop.events";
/// Exchange of messages no consumer could handle.
pub const DEAD_LETTER_EXCHANGE: &str = "shop.dead-letters";

/// A quorum queue, its binding, and the quorum queue its dead letters go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: &'static str,
    pub routing_key: &'static str,
    pub dead_letters: &'static str,
    /// Deliveries after which RabbitMQ itself moves a message to the dead letters.
    pub delivery_limit: u32,
}

pub const ORDER_PLACED: &str = "order.placed";
pub const ORDER_WORK: Queue = Queue {
    name: "order.work",
    routing_key: ORDER_PLACED,
    dead_letters: "order.work.dead",
    delivery_limit: 20,
};
pub const QUEUES: &[Queue] = &[ORDER_WORK];

/// A customer placed an order; it is durable in the customer's shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub event_id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub total_cents: i64,
    pub currency: String,
    pub synthetic: bool,
    /// RFC 3339.
    pub placed_at: String,
}
