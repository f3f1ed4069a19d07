//! Repairs: which event, said once more, lets the saga of an order go on. Decided here, from facts alone; done in
//! `act`. Nothing is written but an event in its owner's outbox, under a new id, which its owner's consumers take as
//! they take any event that comes twice. What no such event can mend is left to people.

mod act;
mod event;

pub use act::{Tables, act};
pub use event::Emission;

use crate::facts::{OrderFacts, OrderRow, PaymentState, ReservationState, Seen};
use crate::invariant::Invariant;
use shop_contract::api::OrderStatus;
use shop_contract::event::{
    ORDER_CANCELLED, ORDER_PLACED, PAYMENT_AUTHORIZED, PAYMENT_CAPTURED, PAYMENT_DECLINED, STOCK_CLAIMED,
    STOCK_REJECTED,
};

/// Events to say again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    pub kind: &'static str,
    pub why: &'static str,
}

/// What would mend this finding of an order; `None` when nothing said again would.
pub fn repair_for(invariant: Invariant, facts: &OrderFacts) -> Option<Repair> {
    let order = match &facts.order {
        Seen::Known(order) => order,
        Seen::Absent => return without_order(facts),
        Seen::Detached | Seen::Unknown(_) => return None,
    };
    match invariant {
        Invariant::OrderSettled => settle(order, facts),
        Invariant::PaidClaimed => Some(say(
            PAYMENT_AUTHORIZED,
            "paid and not claimed: inventory claims it anew",
        ))
        .filter(|_| facts.claimed.is_empty()),
        Invariant::PaidOnce if facts.ledger.captures == 0 && claims_all(order, facts) => Some(say(
            STOCK_CLAIMED,
            "confirmed and not captured: payment captures once its stock is claimed",
        )),
        Invariant::CancelledReleased | Invariant::ReservationExpired if order.status == OrderStatus::Cancelled => {
            Some(say(
                ORDER_CANCELLED,
                "cancelled: payment gives the money back, inventory the stock",
            ))
        }
        Invariant::ReservationExpired
        | Invariant::PaidOnce
        | Invariant::CancelledReleased
        | Invariant::CapturedOnce
        | Invariant::StockLevel
        | Invariant::StockMovements
        | Invariant::OutboxFresh
        | Invariant::Money
        | Invariant::PaymentHasOrder => None,
    }
}

fn say(kind: &'static str, why: &'static str) -> Repair {
    Repair { kind, why }
}

/// Every shard answered and none has the order: what payment and inventory keep for it is given back.
fn without_order(facts: &OrderFacts) -> Option<Repair> {
    let payment = facts.payment.as_ref()?;
    let known = payment.state != PaymentState::Cancelled;
    (known && (facts.ledger.holds() || !facts.claimed.is_empty())).then(|| {
        say(
            ORDER_CANCELLED,
            "no shard has the order: its money and its stock are given back",
        )
    })
}

/// The step after the last one that is known to be done.
fn settle(order: &OrderRow, facts: &OrderFacts) -> Option<Repair> {
    let reservation = facts.reservation.as_ref().map(|row| row.state);
    let Some(payment) = &facts.payment else {
        return Some(say(ORDER_PLACED, "payment has not heard of it"));
    };
    match payment.state {
        PaymentState::Pending => Some(say(ORDER_PLACED, "its payment has not been decided")),
        PaymentState::Declined => Some(say(PAYMENT_DECLINED, "declined, and the order has not heard of it")),
        PaymentState::Captured => Some(say(PAYMENT_CAPTURED, "captured, and the order has not heard of it")),
        PaymentState::Authorized if claims_all(order, facts) => {
            Some(say(STOCK_CLAIMED, "claimed, and payment has not heard of it"))
        }
        PaymentState::Authorized if reservation == Some(ReservationState::Rejected) => {
            Some(say(STOCK_REJECTED, "rejected, and the order has not heard of it"))
        }
        PaymentState::Authorized => Some(say(PAYMENT_AUTHORIZED, "authorised, and inventory has not heard of it")),
        PaymentState::Voided | PaymentState::Refunded | PaymentState::Cancelled => None,
    }
}

fn claims_all(order: &OrderRow, facts: &OrderFacts) -> bool {
    facts.claimed == order.wanted()
}
