//! What the databases said, as plain values: the input of every check and of every repair. Absent means that every
//! source that could hold the thing answered and none had it; whatever did not answer is unknown, never absent, and what
//! may have gone with a detached month is neither.

use crate::check::Limits;
use serde::Serialize;
use shop_contract::api::{CancelReason, OrderStatus, PricedLine};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    Absent,
    /// From before the oldest month that is attached: it may have been there.
    Detached,
    /// Which tiers did not answer.
    Unknown(String),
    Known(T),
}

/// All that is known of one order.
#[derive(Clone, Debug, Serialize)]
pub struct OrderFacts {
    pub id: Uuid,
    /// Since its id was made, which is when its customer asked for it.
    pub age_seconds: i64,
    pub order: Seen<OrderRow>,
    pub payment: Option<PaymentRow>,
    pub ledger: Ledger,
    pub reservation: Option<ReservationRow>,
    /// Units the order took off the stock and did not give back, by product; from the movements, which stay for ever.
    pub claimed: BTreeMap<Uuid, i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    pub shard: u16,
    pub user: Uuid,
    pub status: OrderStatus,
    pub total_cents: i64,
    pub currency: String,
    pub cancel_reason: Option<CancelReason>,
    /// Judged by nobody: the operator's test orders, which each party removes in its own time, and orders of 0.1.0,
    /// which knew neither payment nor stock.
    pub exempt: bool,
    pub created_at: String,
    /// Since it last went from one status to another.
    pub moved_seconds: i64,
    pub lines: Vec<PricedLine>,
    #[serde(skip)]
    pub payment_token: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Nothing is known from the provider yet, or a call to it is under way.
    Pending,
    Authorized,
    Declined,
    Captured,
    Voided,
    Refunded,
    /// The order was cancelled before its payment began.
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentRow {
    pub id: Uuid,
    pub user: Uuid,
    pub state: PaymentState,
    pub amount_cents: i64,
    pub currency: String,
    /// Given back, as our own books say: by support in parts, or because the order was cancelled.
    pub refunded_cents: i64,
    /// Some of it is being given back: the provider may have done it already.
    pub refunding: bool,
    pub reason: Option<String>,
    pub lines: Vec<PricedLine>,
    pub synthetic: bool,
}

/// What the provider itself wrote down for the order, whatever our own state says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    pub authorisations: i64,
    pub voids: i64,
    pub captures: i64,
    pub captured_cents: i64,
    pub refunded_cents: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationState {
    Held,
    Claimed,
    Released,
    Rejected,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReservationRow {
    pub state: ReservationState,
    pub quantities: BTreeMap<Uuid, i64>,
    /// Seconds since its end; negative before it.
    pub expired_seconds: i64,
}

/// One product's stock, and what its movements and reservations add up to. Claimed units have left `on_hand`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockFacts {
    pub product: Uuid,
    pub on_hand: i64,
    pub reserved: i64,
    pub movements: i64,
    pub reservations: i64,
}

/// The oldest event one outbox has not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxFacts {
    /// `outbox/orders/0/outbox`.
    pub object: String,
    pub waiting: i64,
    pub oldest_seconds: i64,
    pub oldest_kind: String,
}

impl Ledger {
    pub fn net_cents(&self) -> i64 {
        self.captured_cents - self.refunded_cents
    }

    /// Whether the provider still keeps money or an authorisation of the customer.
    pub fn holds(&self) -> bool {
        self.net_cents() != 0 || (self.captures == 0 && self.authorisations > self.voids)
    }
}

impl OrderFacts {
    pub fn refunded_cents(&self) -> i64 {
        self.payment.as_ref().map_or(0, |payment| payment.refunded_cents)
    }

    pub fn exempt(&self) -> bool {
        let ordered = matches!(&self.order, Seen::Known(order) if order.exempt);
        ordered || self.payment.as_ref().is_some_and(|payment| payment.synthetic)
    }

    /// Whether its money may be on its way, in one of the books and not yet in the other.
    pub fn under_way(&self, limits: &Limits) -> bool {
        let moved = match &self.order {
            Seen::Known(order) => order.status == OrderStatus::Placed || order.moved_seconds < limits.order_seconds,
            Seen::Absent | Seen::Detached | Seen::Unknown(_) => false,
        };
        let asking = |payment: &PaymentRow| payment.refunding || payment.state == PaymentState::Pending;
        moved || self.payment.as_ref().is_some_and(asking)
    }

    /// Units reserved and not claimed, by product.
    pub fn held(&self) -> BTreeMap<Uuid, i64> {
        let held = self
            .reservation
            .as_ref()
            .filter(|row| row.state == ReservationState::Held);
        held.map(|row| row.quantities.clone()).unwrap_or_default()
    }
}

impl OrderRow {
    pub fn wanted(&self) -> BTreeMap<Uuid, i64> {
        let mut sums = BTreeMap::new();
        for line in &self.lines {
            *sums.entry(line.product_id).or_default() += i64::from(line.quantity);
        }
        sums
    }

    /// What the customer should have paid in the end, when `refunded` was given back.
    pub fn due_cents(&self, refunded: i64) -> i64 {
        if self.confirmed() {
            self.total_cents - refunded
        } else {
            0
        }
    }

    /// Paid, as far as the customer was told.
    pub fn confirmed(&self) -> bool {
        match self.status {
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => true,
            OrderStatus::Placed | OrderStatus::Cancelled => false,
        }
    }
}
