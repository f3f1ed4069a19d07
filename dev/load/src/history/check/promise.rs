//! What was promised: every acknowledged order is there, unaltered, once; and there is none nobody was told of.

use super::{Violations, confirmed};
use crate::history::{Checkout, End, Found, OrderFound, Promises};
use shop_contract::api::{OrderLine, OrderStatus, PricedLine};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

pub(super) fn acknowledged(violations: &mut Violations, promises: &Promises, by_id: &HashMap<Uuid, &OrderFound>) {
    let mut keys: HashMap<Uuid, &Uuid> = HashMap::new();
    for (key, checkout, promised) in promises.acknowledged() {
        if let Some(other) = keys.insert(promised.order, key) {
            violations.add(
                "twice",
                promised.order,
                format!("acknowledged for key {other} and for key {key}"),
            );
        }
        let Some(order) = by_id.get(&promised.order) else {
            violations.add(
                "lost",
                promised.order,
                format!("acknowledged for key {key}, in no shard"),
            );
            continue;
        };
        let line = |line: &PricedLine| OrderLine {
            product_id: line.product_id,
            quantity: line.quantity,
        };
        let lines: Vec<OrderLine> = order.lines.iter().map(line).collect();
        violations.equal("altered", order.id, "its customer", &order.user, &checkout.user);
        violations.equal(
            "altered",
            order.id,
            "its total",
            &order.total_cents,
            &promised.total_cents,
        );
        violations.equal("altered", order.id, "its currency", &order.currency, &promised.currency);
        violations.equal("altered", order.id, "what it holds", &lines, &promised.lines);
    }
    for order in &promises.cancelled {
        let status = by_id.get(order).map(|order| order.status);
        violations.equal(
            "altered",
            *order,
            "the status of an order that was cancelled",
            &status,
            &Some(OrderStatus::Cancelled),
        );
    }
}

/// Orders nobody was told of are explained only by checkouts nobody was told the end of.
pub(super) fn surplus(violations: &mut Violations, promises: &Promises, found: &Found) {
    let known: BTreeSet<Uuid> = promises.acknowledged().map(|(_, _, promised)| promised.order).collect();
    let mut untold: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for order in found.orders.iter().filter(|order| !known.contains(&order.id)) {
        untold.entry(order.user).or_default().push(order.id);
    }
    for (user, orders) in untold {
        let open = |checkout: &&Checkout| checkout.user == user && matches!(checkout.end, End::Open);
        let open = promises.checkouts.values().filter(open).count();
        if orders.len() > open {
            violations.add(
                "surplus",
                user,
                format!("orders {orders:?} were never acknowledged, {open} checkouts are open"),
            );
        }
    }
}

/// No unit of the hot product is sold twice; and none is left while customers were sent away.
pub(super) fn hot(violations: &mut Violations, promises: &Promises, by_id: &HashMap<Uuid, &OrderFound>) {
    let Some(hot) = promises.hot else { return };
    let lines = by_id
        .values()
        .filter(|order| confirmed(order))
        .flat_map(|order| &order.lines);
    let sold: u32 = lines
        .filter(|line| line.product_id == hot.product)
        .map(|line| line.quantity)
        .sum();
    let wanted = promises.checkouts.len();
    if sold > hot.units || (sold < hot.units && wanted >= hot.units as usize) {
        violations.add(
            "oversold",
            hot.product,
            format!("{sold} of {} units sold to {wanted} checkouts", hot.units),
        );
    }
}
