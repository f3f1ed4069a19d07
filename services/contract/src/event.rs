//! Events and the queues they travel through. The operator creates the topology, services only use it.
//!
//! The saga of an order: `order.placed` → payment authorises → `payment.authorized` → inventory claims →
//! `stock.claimed` → payment captures → `payment.captured` → order confirms → `order.confirmed`. What fails
//! (`payment.declined`, `stock.rejected`) makes the order `order.cancelled`, at which payment voids or refunds and
//! inventory releases. Each party has its own state machine and takes its events in any order, more than once.

use crate::api::{CancelReason, PricedLine};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Virtual host of the shop's own traffic.
pub const VHOST: &str = "shop";
/// Topic exchange every event is published to; routing key = the event's type.
pub const EXCHANGE: &str = "shop.events";
/// Exchange of messages no consumer could handle.
pub const DEAD_LETTER_EXCHANGE: &str = "shop.dead-letters";

/// A quorum queue, its bindings, and the quorum queue its dead letters go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: &'static str,
    pub routing_keys: &'static [&'static str],
    pub dead_letters: &'static str,
    /// Deliveries after which RabbitMQ itself moves a message to the dead letters.
    pub delivery_limit: u32,
}

/// Where a message waits before it is tried again: a fanout exchange and its quorum queue, both of this name. After
/// `seconds` RabbitMQ sends the message to the default exchange under its routing key, which is the name of the work
/// queue it came from. One set serves every work queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    pub name: &'static str,
    pub seconds: u32,
}

pub const DELAYS: &[Delay] = &[
    Delay {
        name: "shop.delay.1s",
        seconds: 1,
    },
    Delay {
        name: "shop.delay.10s",
        seconds: 10,
    },
    Delay {
        name: "shop.delay.1m",
        seconds: 60,
    },
];

pub const USER_REGISTERED: &str = "user.registered";
pub const PRODUCT_CHANGED: &str = "product.changed";
pub const ORDER_PLACED: &str = "order.placed";
pub const ORDER_CONFIRMED: &str = "order.confirmed";
pub const ORDER_SHIPPED: &str = "order.shipped";
pub const ORDER_CANCELLED: &str = "order.cancelled";
pub const PAYMENT_AUTHORIZED: &str = "payment.authorized";
pub const PAYMENT_DECLINED: &str = "payment.declined";
pub const PAYMENT_CAPTURED: &str = "payment.captured";
pub const PAYMENT_REFUNDED: &str = "payment.refunded";
pub const STOCK_CLAIMED: &str = "stock.claimed";
pub const STOCK_REJECTED: &str = "stock.rejected";

pub const ORDER_WORK: Queue = Queue {
    name: "order.work",
    routing_keys: &[PAYMENT_DECLINED, PAYMENT_CAPTURED, STOCK_REJECTED],
    dead_letters: "order.work.dead",
    delivery_limit: 20,
};
pub const PAYMENT_WORK: Queue = Queue {
    name: "payment.work",
    routing_keys: &[ORDER_PLACED, STOCK_CLAIMED, ORDER_CANCELLED],
    dead_letters: "payment.work.dead",
    delivery_limit: 20,
};
pub const INVENTORY_WORK: Queue = Queue {
    name: "inventory.work",
    routing_keys: &[PAYMENT_AUTHORIZED, ORDER_CANCELLED],
    dead_letters: "inventory.work.dead",
    delivery_limit: 20,
};
pub const PRODUCT_WORK: Queue = Queue {
    name: "product.work",
    routing_keys: &[PRODUCT_CHANGED],
    dead_letters: "product.work.dead",
    delivery_limit: 20,
};
pub const EMAIL_WORK: Queue = Queue {
    name: "email.work",
    routing_keys: &[
        USER_REGISTERED,
        ORDER_CONFIRMED,
        ORDER_SHIPPED,
        ORDER_CANCELLED,
        PAYMENT_REFUNDED,
    ],
    dead_letters: "email.work.dead",
    delivery_limit: 20,
};
pub const NOTIFICATION_WORK: Queue = Queue {
    name: "notification.work",
    routing_keys: &[ORDER_PLACED, ORDER_CONFIRMED, ORDER_SHIPPED, ORDER_CANCELLED],
    dead_letters: "notification.work.dead",
    delivery_limit: 20,
};
pub const ANALYTICS_WORK: Queue = Queue {
    name: "analytics.work",
    routing_keys: &[USER_REGISTERED, ORDER_PLACED, ORDER_CONFIRMED, ORDER_CANCELLED],
    dead_letters: "analytics.work.dead",
    delivery_limit: 20,
};
pub const RECOMMENDATION_WORK: Queue = Queue {
    name: "recommendation.work",
    routing_keys: &[ORDER_CONFIRMED],
    dead_letters: "recommendation.work.dead",
    delivery_limit: 20,
};
pub const QUEUES: &[Queue] = &[
    ORDER_WORK,
    PAYMENT_WORK,
    INVENTORY_WORK,
    PRODUCT_WORK,
    EMAIL_WORK,
    NOTIFICATION_WORK,
    ANALYTICS_WORK,
    RECOMMENDATION_WORK,
];

/// `user.registered`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRegistered {
    pub event_id: Uuid,
    pub user_id: Uuid,
    pub synthetic: bool,
}

/// `product.changed`: created, edited or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductChanged {
    pub event_id: Uuid,
    pub product_id: Uuid,
}

/// `order.placed`, `order.confirmed`, `order.shipped`, `order.cancelled`: durable in the customer's shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    pub event_id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub total_cents: i64,
    pub currency: String,
    pub lines: Vec<PricedLine>,
    /// Of `order.placed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<String>,
    /// Of `order.cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// The operator's test order: it takes no stock and appears in no figure, and every party removes its rows after a
    /// while.
    pub synthetic: bool,
    /// When the order was placed, RFC 3339.
    pub placed_at: String,
    /// When this happened, RFC 3339.
    pub at: String,
}

/// `payment.authorized`, `payment.declined`, `payment.captured`, `payment.refunded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEvent {
    pub event_id: Uuid,
    pub payment_id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub amount_cents: i64,
    pub currency: String,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the order asked for: inventory claims these when the reservation has expired meanwhile.
    pub lines: Vec<PricedLine>,
    pub synthetic: bool,
    pub at: String,
}

/// `stock.claimed`, `stock.rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockEvent {
    pub event_id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub synthetic: bool,
    pub at: String,
}
