//! The checker: nothing lost, nothing twice, nothing oversold, money equal to the cent, mails once.

use super::{End, Found, Operation, OrderFound, Promises};
use shop_contract::api::{OrderLine, OrderStatus};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Violation {
    /// `lost`, `twice`, `altered`, `surplus`, `unfinished`, `unpaid`, `captured twice`, `money`, `stock`, `oversold`, `mail`.
    pub what: &'static str,
    pub object: String,
    pub detail: String,
}

/// Everything that is not as it must be, sorted.
pub fn check(promises: &Promises, found: &Found) -> Vec<Violation> {
    let mut violations = Violations(BTreeSet::new());
    let mut by_id: HashMap<Uuid, &OrderFound> = HashMap::new();
    for order in &found.orders {
        if let Some(other) = by_id.insert(order.id, order) {
            violations.add(
                "twice",
                order.id,
                format!("in shard {} and in shard {}", other.shard, order.shard),
            );
        }
    }
    acknowledged(&mut violations, promises, &by_id);
    surplus(&mut violations, promises, found);
    for order in by_id.values() {
        finished(&mut violations, promises, order);
        money_of(&mut violations, order, found);
        stock_of(&mut violations, order, found);
        mails_of(&mut violations, order, found);
    }
    ledger_of_nothing(&mut violations, &by_id, found);
    levels(&mut violations, found);
    sums(&mut violations, &by_id, found);
    hot(&mut violations, promises, &by_id);
    violations.0.into_iter().collect()
}

struct Violations(BTreeSet<Violation>);

impl Violations {
    fn add(&mut self, what: &'static str, object: impl ToString, detail: impl Into<String>) {
        self.0.insert(Violation {
            what,
            object: object.to_string(),
            detail: detail.into(),
        });
    }

    fn equal<T: PartialEq + Debug>(&mut self, what: &'static str, object: Uuid, name: &str, is: &T, must: &T) {
        if is != must {
            self.add(what, object, format!("{name} is {is:?}, must be {must:?}"));
        }
    }
}

fn acknowledged(violations: &mut Violations, promises: &Promises, by_id: &HashMap<Uuid, &OrderFound>) {
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
        let line = |line: &shop_contract::api::PricedLine| OrderLine {
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
fn surplus(violations: &mut Violations, promises: &Promises, found: &Found) {
    let known: BTreeSet<Uuid> = promises.acknowledged().map(|(_, _, promised)| promised.order).collect();
    let mut untold: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for order in found.orders.iter().filter(|order| !known.contains(&order.id)) {
        untold.entry(order.user).or_default().push(order.id);
    }
    for (user, orders) in untold {
        let open = |checkout: &&super::Checkout| checkout.user == user && matches!(checkout.end, End::Open);
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

fn finished(violations: &mut Violations, promises: &Promises, order: &OrderFound) {
    if order.status == OrderStatus::Placed {
        violations.add(
            "unfinished",
            order.id,
            format!("still placed, in shard {}", order.shard),
        );
    }
    if !promises.customers.contains(&order.user) {
        violations.add(
            "surplus",
            order.id,
            format!("customer {} is none of this run", order.user),
        );
    }
}

fn confirmed(order: &OrderFound) -> bool {
    match order.status {
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => true,
        OrderStatus::Placed | OrderStatus::Cancelled => false,
    }
}

fn entries(found: &Found, order: Uuid, operation: Operation) -> (usize, i64) {
    let entries = found
        .ledger
        .iter()
        .filter(|entry| entry.order == order && entry.operation == operation);
    entries.fold((0, 0), |(count, cents), entry| (count + 1, cents + entry.cents))
}

fn money_of(violations: &mut Violations, order: &OrderFound, found: &Found) {
    let of = |operation| entries(found, order.id, operation);
    let ((captures, captured), (_, refunded)) = (of(Operation::Capture), of(Operation::Refund));
    if captures > 1 {
        violations.add(
            "captured twice",
            order.id,
            format!("{captures} times, {captured} in all"),
        );
    }
    if confirmed(order) {
        if captures == 0 {
            violations.add("unpaid", order.id, format!("{:?} and never captured", order.status));
        }
        violations.equal(
            "money",
            order.id,
            "captured − refunded",
            &(captured - refunded),
            &order.total_cents,
        );
    }
    if order.status == OrderStatus::Cancelled {
        violations.equal("money", order.id, "captured − refunded", &(captured - refunded), &0);
        let (authorised, voided) = (of(Operation::Authorise).0, of(Operation::Void).0);
        if captures == 0 && authorised > voided {
            violations.add("money", order.id, "cancelled, and its authorisation was not given back");
        }
    }
    let other = found
        .ledger
        .iter()
        .find(|entry| entry.order == order.id && entry.currency != order.currency);
    if let Some(other) = other {
        violations.add(
            "money",
            order.id,
            format!("ordered in {}, moved in {}", order.currency, other.currency),
        );
    }
}

fn stock_of(violations: &mut Violations, order: &OrderFound, found: &Found) {
    let mut must: BTreeMap<Uuid, i64> = BTreeMap::new();
    if confirmed(order) {
        for line in &order.lines {
            *must.entry(line.product_id).or_default() += i64::from(line.quantity);
        }
    }
    let of_order = found
        .claimed
        .iter()
        .filter(|((id, _), units)| *id == order.id && **units != 0);
    let is: BTreeMap<Uuid, i64> = of_order.map(|((_, product), units)| (*product, *units)).collect();
    if order.status != OrderStatus::Placed {
        violations.equal("stock", order.id, "what it took from the stock", &is, &must);
    }
}

fn mails_of(violations: &mut Violations, order: &OrderFound, found: &Found) {
    let Some(mails) = &found.mails else { return };
    let count = |kind: &str| {
        mails
            .iter()
            .filter(|mail| mail.order == order.id && mail.kind == kind)
            .count()
    };
    let (told, gone) = (
        usize::from(confirmed(order)),
        usize::from(order.status == OrderStatus::Cancelled),
    );
    // One that was confirmed before it was cancelled had both.
    if gone == 0 || count("order.confirmed") > 1 {
        violations.equal(
            "mail",
            order.id,
            "mails of its confirmation",
            &count("order.confirmed"),
            &told,
        );
    }
    violations.equal(
        "mail",
        order.id,
        "mails of its cancellation",
        &count("order.cancelled"),
        &gone,
    );
}

fn ledger_of_nothing(violations: &mut Violations, by_id: &HashMap<Uuid, &OrderFound>, found: &Found) {
    for entry in found.ledger.iter().filter(|entry| !by_id.contains_key(&entry.order)) {
        let detail = format!(
            "{:?} of {} {}, and no shard has the order",
            entry.operation, entry.cents, entry.currency
        );
        violations.add("money", entry.order, detail);
    }
}

fn levels(violations: &mut Violations, found: &Found) {
    for level in &found.stock {
        if level.on_hand < level.reserved || level.reserved < 0 {
            let detail = format!("on hand {}, reserved {}", level.on_hand, level.reserved);
            violations.add("oversold", level.product, detail);
        }
        violations.equal("stock", level.product, "on hand", &level.on_hand, &level.movements);
        violations.equal("stock", level.product, "reserved", &level.reserved, &level.reservations);
    }
}

fn sums(violations: &mut Violations, by_id: &HashMap<Uuid, &OrderFound>, found: &Found) {
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

/// No unit of the hot product is sold twice; and none is left while customers were sent away.
fn hot(violations: &mut Violations, promises: &Promises, by_id: &HashMap<Uuid, &OrderFound>) {
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
