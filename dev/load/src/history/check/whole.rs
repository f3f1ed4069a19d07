//! What must be true of the whole: stock adds up, money adds up, and no money moved for an order that is nowhere.

use super::{Violations, confirmed};
use crate::history::{Found, Operation, OrderFound};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

pub(super) fn ledger_of_nothing(violations: &mut Violations, by_id: &HashMap<Uuid, &OrderFound>, found: &Found) {
    for entry in found.ledger.iter().filter(|entry| !by_id.contains_key(&entry.order)) {
        let detail = format!(
            "{:?} of {} {}, and no shard has the order",
            entry.operation, entry.cents, entry.currency
        );
        violations.add("money", entry.order, detail);
    }
}

pub(super) fn levels(violations: &mut Violations, found: &Found) {
    for level in &found.stock {
        if level.on_hand < level.reserved || level.reserved < 0 {
            let detail = format!("on hand {}, reserved {}", level.on_hand, level.reserved);
            violations.add("oversold", level.product, detail);
        }
        violations.equal("stock", level.product, "on hand", &level.on_hand, &level.movements);
        violations.equal("stock", level.product, "reserved", &level.reserved, &level.reservations);
    }
}

pub(super) fn sums(violations: &mut Violations, by_id: &HashMap<Uuid, &OrderFound>, found: &Found) {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for order in by_id.values().filter(|order| confirmed(order)) {
        sums.entry(&order.currency).or_default().0 += order.total_cents;
    }
    for entry in &found.ledger {
        let sign = match entry.operation {
            Operation::Capture => 1,
            Operation::Refund => -1,
            Operation::Authorise | Operation::Void => 0,
        };
        sums.entry(&entry.currency).or_default().1 += sign * entry.cents;
    }
    for (currency, (ordered, moved)) in sums {
        if ordered != moved {
            let detail = format!(
                "confirmed {ordered}, captured − refunded {moved}: {} cents differ",
                moved - ordered
            );
            violations.add("money", currency, detail);
        }
    }
}
