//! Everything that has to hold for one order, whichever databases it spans. An order one of whose sources did not
//! answer is not judged at all.

use super::{Finding, Limits, order_object};
use crate::facts::{OrderFacts, OrderRow, PaymentState, ReservationState, Seen};
use crate::invariant::Invariant;
use shop_contract::api::OrderStatus;

/// `None` when a source did not answer.
pub fn check_order(facts: &OrderFacts, limits: &Limits) -> Option<Vec<Finding>> {
    if facts.exempt() {
        return Some(Vec::new());
    }
    let mut found = Found(facts, Vec::new());
    match &facts.order {
        Seen::Unknown(_) => return None,
        Seen::Detached => {}
        Seen::Absent => without_order(&mut found, limits),
        Seen::Known(order) => {
            settled(&mut found, order, limits);
            match order.status {
                OrderStatus::Placed => {}
                OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => paid(&mut found, order),
                OrderStatus::Cancelled => released(&mut found),
            }
            if order.status != OrderStatus::Cancelled && facts.ledger.net_cents() > 0 {
                claimed(&mut found, order);
            }
        }
    }
    captured(&mut found);
    reserved(&mut found, limits);
    Some(found.1)
}

struct Found<'a>(&'a OrderFacts, Vec<Finding>);

impl Found<'_> {
    fn add(&mut self, invariant: Invariant, detail: String) {
        let object = order_object(self.0.id);
        self.1.push(Finding {
            invariant,
            object,
            detail,
        });
    }
}

fn without_order(found: &mut Found<'_>, limits: &Limits) {
    let facts = found.0;
    // What has been missing for so long is left to people.
    if facts.age_seconds < limits.order_seconds || facts.age_seconds > limits.absent_seconds {
        return;
    }
    if let Some(payment) = facts.payment.as_ref().filter(|_| facts.ledger.holds()) {
        let ledger = facts.ledger;
        let detail = format!(
            "payment {} of customer {} holds {} {} (captured {}, refunded {}) and no shard has the order",
            payment.id,
            payment.user,
            payment.amount_cents,
            payment.currency,
            ledger.captured_cents,
            ledger.refunded_cents
        );
        found.add(Invariant::PaymentHasOrder, detail);
    }
    if !facts.claimed.is_empty() {
        let detail = format!("no shard has the order, and it claims {:?}", facts.claimed);
        found.add(Invariant::CancelledReleased, detail);
    }
}

fn settled(found: &mut Found<'_>, order: &OrderRow, limits: &Limits) {
    let age = found.0.age_seconds;
    if order.status == OrderStatus::Placed && age > limits.order_seconds {
        let payment = found.0.payment.as_ref().map(|payment| payment.state);
        let detail = format!(
            "placed {age} s ago in shard {}, payment {payment:?}, claimed {:?}",
            order.shard, found.0.claimed
        );
        found.add(Invariant::OrderSettled, detail);
    }
}

fn paid(found: &mut Found<'_>, order: &OrderRow) {
    let ledger = found.0.ledger;
    let refunded = found.0.refunded_cents();
    let right = ledger.captured_cents == order.total_cents && ledger.refunded_cents == refunded;
    if ledger.captures != 1 || !right {
        let detail = format!(
            "{:?} with a total of {} {} of which {refunded} was to be given back; captured {} times, {}, refunded {}",
            order.status,
            order.total_cents,
            order.currency,
            ledger.captures,
            ledger.captured_cents,
            ledger.refunded_cents
        );
        found.add(Invariant::PaidOnce, detail);
    }
    let currency = found.0.payment.as_ref().map(|payment| payment.currency.as_str());
    if currency.is_some_and(|currency| currency != order.currency) {
        let detail = format!(
            "ordered in {}, paid in {}",
            order.currency,
            currency.unwrap_or_default()
        );
        found.add(Invariant::PaidOnce, detail);
    }
}

fn claimed(found: &mut Found<'_>, order: &OrderRow) {
    let (claimed, wanted) = (&found.0.claimed, order.wanted());
    if *claimed != wanted {
        found.add(
            Invariant::PaidClaimed,
            format!("paid, ordered {wanted:?} and claimed {claimed:?}"),
        );
    }
}

fn released(found: &mut Found<'_>) {
    let facts = found.0;
    let (claimed, held) = (&facts.claimed, facts.held());
    if facts.ledger.holds() {
        let ledger = facts.ledger;
        found.add(
            Invariant::CancelledReleased,
            format!("cancelled, and the provider holds {ledger:?}"),
        );
    }
    if !claimed.is_empty() || !held.is_empty() {
        let detail = format!("cancelled, and claims {claimed:?}, holds {held:?}");
        found.add(Invariant::CancelledReleased, detail);
    }
}

fn captured(found: &mut Found<'_>) {
    let ledger = found.0.ledger;
    if ledger.captures > 1 {
        let detail = format!("captured {} times, {} in all", ledger.captures, ledger.captured_cents);
        found.add(Invariant::CapturedOnce, detail);
    }
    let state = found.0.payment.as_ref().map(|payment| payment.state);
    if ledger.captures > 0 && !matches!(state, Some(PaymentState::Captured | PaymentState::Refunded)) {
        let detail = format!("captured at the provider, {state:?} in our own books");
        found.add(Invariant::PaidOnce, detail);
    }
}

fn reserved(found: &mut Found<'_>, limits: &Limits) {
    let Some(row) = &found.0.reservation else { return };
    match row.state {
        ReservationState::Held if row.expired_seconds > limits.reservation_seconds => {
            let detail = format!(
                "holds {:?} though it ended {} s ago",
                row.quantities, row.expired_seconds
            );
            found.add(Invariant::ReservationExpired, detail);
        }
        ReservationState::Claimed if row.quantities != found.0.claimed => {
            let (rows, movements) = (&row.quantities, &found.0.claimed);
            let detail = format!("its reservation claims {rows:?}, its movements say {movements:?}");
            found.add(Invariant::StockMovements, detail);
        }
        ReservationState::Held
        | ReservationState::Claimed
        | ReservationState::Released
        | ReservationState::Rejected => {}
    }
}
