//! Builds the event of a repair from facts. Pure: id and time come in. `None` when the facts do not hold enough.

use super::Repair;
use crate::facts::{OrderFacts, OrderRow, PaymentRow, Seen};
use serde_json::Value;
use shop_contract::api::{CancelReason, PricedLine};
use shop_contract::event::{
    ORDER_CANCELLED, ORDER_PLACED, OrderEvent, PAYMENT_AUTHORIZED, PAYMENT_CAPTURED, PAYMENT_DECLINED, PaymentEvent,
    STOCK_CLAIMED, STOCK_REJECTED, StockEvent,
};
use uuid::Uuid;

/// Whose outbox it goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The shard of this customer.
    Order(Uuid),
    Payment,
    Inventory,
}

/// An event on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    pub id: Uuid,
    pub kind: &'static str,
    pub owner: Owner,
    pub payload: Value,
}

impl Emission {
    pub fn of(repair: Repair, facts: &OrderFacts, id: Uuid, at: &str) -> Option<Self> {
        let order = match &facts.order {
            Seen::Known(order) => Some(order),
            Seen::Absent | Seen::Detached | Seen::Unknown(_) => None,
        };
        let payment = facts.payment.as_ref();
        let (owner, payload) = match repair.kind {
            ORDER_PLACED => of_order(order?, facts.id, id, at, true),
            ORDER_CANCELLED => match order {
                Some(order) => of_order(order, facts.id, id, at, false),
                None => of_missing_order(payment?, facts.id, id, at),
            },
            PAYMENT_AUTHORIZED | PAYMENT_DECLINED | PAYMENT_CAPTURED => of_payment(payment?, order?, facts.id, id, at),
            STOCK_CLAIMED | STOCK_REJECTED => of_stock(order?.user, facts.id, id, at),
            _ => return None,
        };
        let (kind, payload) = (repair.kind, payload.ok()?);
        Some(Self {
            id,
            kind,
            owner,
            payload,
        })
    }
}

type Built = (Owner, serde_json::Result<Value>);

fn of_order(order: &OrderRow, order_id: Uuid, event_id: Uuid, at: &str, placed: bool) -> Built {
    let event = OrderEvent {
        event_id,
        order_id,
        user_id: order.user,
        total_cents: order.total_cents,
        currency: order.currency.clone(),
        lines: order.lines.clone(),
        payment_token: order.payment_token.clone().filter(|_| placed),
        cancel_reason: order.cancel_reason.filter(|_| !placed),
        synthetic: false,
        placed_at: order.created_at.clone(),
        at: at.to_owned(),
    };
    (Owner::Order(order.user), serde_json::to_value(event))
}

fn of_missing_order(payment: &PaymentRow, order_id: Uuid, event_id: Uuid, at: &str) -> Built {
    let event = OrderEvent {
        event_id,
        order_id,
        user_id: payment.user,
        total_cents: payment.amount_cents,
        currency: payment.currency.clone(),
        lines: payment.lines.clone(),
        payment_token: None,
        cancel_reason: Some(CancelReason::Support),
        synthetic: false,
        placed_at: at.to_owned(),
        at: at.to_owned(),
    };
    (Owner::Order(payment.user), serde_json::to_value(event))
}

fn of_payment(payment: &PaymentRow, order: &OrderRow, order_id: Uuid, event_id: Uuid, at: &str) -> Built {
    let lines: &Vec<PricedLine> = if payment.lines.is_empty() {
        &order.lines
    } else {
        &payment.lines
    };
    let event = PaymentEvent {
        event_id,
        payment_id: payment.id,
        order_id,
        user_id: payment.user,
        amount_cents: payment.amount_cents,
        currency: payment.currency.clone(),
        reason: payment.reason.clone(),
        lines: lines.clone(),
        synthetic: false,
        at: at.to_owned(),
    };
    (Owner::Payment, serde_json::to_value(event))
}

fn of_stock(user_id: Uuid, order_id: Uuid, event_id: Uuid, at: &str) -> Built {
    let event = StockEvent {
        event_id,
        order_id,
        user_id,
        synthetic: false,
        at: at.to_owned(),
    };
    (Owner::Inventory, serde_json::to_value(event))
}
