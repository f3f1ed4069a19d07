//! What a run promised and what is in the books afterwards, as plain values, and the checker over them. Pure: the audit
//! collects, this judges. Knows nothing of how the shop works inside, only what must be true in the end.

mod check;
#[cfg(test)]
mod tests;

pub use check::{Violation, check};

use crate::order_log::{Hot, Line};
use shop_contract::api::{OrderLine, OrderStatus, PricedLine};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The promises, from the log.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    /// Customers of this run; nobody else orders for them.
    pub customers: BTreeSet<Uuid>,
    /// Every checkout by its key.
    pub checkouts: BTreeMap<Uuid, Checkout>,
    /// Orders whose cancellation was acknowledged.
    pub cancelled: BTreeSet<Uuid>,
    pub hot: Option<Hot>,
}

#[derive(Clone, Debug)]
pub struct Checkout {
    pub user: Uuid,
    pub end: End,
}

#[derive(Clone, Debug)]
pub enum End {
    Acknowledged(Acknowledged),
    Refused,
    /// Begun, and never told: there may be an order or none.
    Open,
}

#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub order: Uuid,
    pub total_cents: i64,
    pub currency: String,
    pub lines: Vec<OrderLine>,
}

/// What the databases hold of this run.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Of the run's customers, from all shards.
    pub orders: Vec<OrderFound>,
    /// What took effect at the provider, for these orders and for all acknowledged ones.
    pub ledger: Vec<LedgerEntry>,
    /// Units these orders took from the stock, less those they gave back.
    pub claimed: BTreeMap<(Uuid, Uuid), i64>,
    /// Products these orders name.
    pub stock: Vec<Level>,
    /// None when there are no mails to look at.
    pub mails: Option<Vec<Mail>>,
}

#[derive(Clone, Debug)]
pub struct OrderFound {
    pub shard: u16,
    pub id: Uuid,
    pub user: Uuid,
    pub status: OrderStatus,
    pub total_cents: i64,
    pub currency: String,
    pub lines: Vec<PricedLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Authorise,
    Capture,
    Void,
    Refund,
}

#[derive(Clone, Debug)]
pub struct LedgerEntry {
    pub order: Uuid,
    pub operation: Operation,
    pub cents: i64,
    pub currency: String,
}

/// Stock of one product, and what its movements and reservations add up to.
#[derive(Clone, Debug)]
pub struct Level {
    pub product: Uuid,
    pub on_hand: i64,
    pub reserved: i64,
    pub movements: i64,
    pub reservations: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub order: Uuid,
    /// `order.confirmed`, `order.cancelled`, ….
    pub kind: String,
}

impl Promises {
    pub fn of_log(lines: Vec<Line>) -> Self {
        let mut promises = Self::default();
        for line in lines {
            promises.take(line);
        }
        promises
    }

    fn take(&mut self, line: Line) {
        let mut ended = |key: Uuid, user: Uuid, end: End| {
            self.checkouts.insert(key, Checkout { user, end });
        };
        match line {
            Line::Run { hot, .. } => self.hot = hot,
            Line::Customer { user } => {
                self.customers.insert(user);
            }
            Line::Intent { key, user, .. } | Line::Unknown { key, user } => ended(key, user, End::Open),
            Line::Refused { key, user, .. } => ended(key, user, End::Refused),
            Line::Acknowledged { key, user, order } => {
                let line = |line: &PricedLine| OrderLine {
                    product_id: line.product_id,
                    quantity: line.quantity,
                };
                let acknowledged = Acknowledged {
                    order: order.id,
                    total_cents: order.total_cents,
                    currency: order.currency.clone(),
                    lines: order.lines.iter().map(line).collect(),
                };
                ended(key, user, End::Acknowledged(acknowledged));
            }
            Line::Cancelled { order, .. } => {
                self.cancelled.insert(order);
            }
        }
    }

    pub fn acknowledged(&self) -> impl Iterator<Item = (&Uuid, &Checkout, &Acknowledged)> {
        self.checkouts.iter().filter_map(|(key, checkout)| match &checkout.end {
            End::Acknowledged(acknowledged) => Some((key, checkout, acknowledged)),
            End::Refused | End::Open => None,
        })
    }
}
