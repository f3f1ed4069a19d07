//! What must be true of each order by itself: finished, paid once, its stock taken, its mails sent.

use super::{Violations, confirmed};
use crate::history::{Found, LedgerEntry, Operation, OrderFound, Promises};
use shop_contract::api::OrderStatus;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What was found, by order.
pub(super) struct Index<'a> {
    ledger: HashMap<Uuid, Vec<&'a LedgerEntry>>,
    mails: Option<HashMap<Uuid, Vec<&'a str>>>,
    claimed: &'a BTreeMap<(Uuid, Uuid), i64>,
}

impl<'a> Index<'a> {
    pub(super) fn of(found: &'a Found) -> Self {
        let mut ledger: HashMap<Uuid, Vec<&LedgerEntry>> = HashMap::new();
        for entry in &found.ledger {
            ledger.entry(entry.order).or_default().push(entry);
        }
        let mails = found.mails.as_ref().map(|mails| {
            let mut by_order: HashMap<Uuid, Vec<&str>> = HashMap::new();
            for mail in mails {
                by_order.entry(mail.order).or_default().push(&mail.kind);
            }
            by_order
        });
        Self {
            ledger,
            mails,
            claimed: &found.claimed,
        }
    }

    fn entries(&self, order: Uuid) -> &[&LedgerEntry] {
        self.ledger.get(&order).map_or(&[], Vec::as_slice)
    }

    /// How many, and how much.
    fn sum(&self, order: Uuid, operation: Operation) -> (usize, i64) {
        let entries = self.entries(order).iter().filter(|entry| entry.operation == operation);
        entries.fold((0, 0), |(count, cents), entry| (count + 1, cents + entry.cents))
    }
}

pub(super) fn finished(violations: &mut Violations, promises: &Promises, order: &OrderFound) {
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

pub(super) fn money_of(violations: &mut Violations, order: &OrderFound, index: &Index<'_>) {
    let of = |operation| index.sum(order.id, operation);
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
    let mut entries = index.entries(order.id).iter();
    let other = entries.find(|entry| entry.currency != order.currency);
    if let Some(other) = other {
        violations.add(
            "money",
            order.id,
            format!("ordered in {}, moved in {}", order.currency, other.currency),
        );
    }
}

pub(super) fn stock_of(violations: &mut Violations, order: &OrderFound, index: &Index<'_>) {
    let mut must: BTreeMap<Uuid, i64> = BTreeMap::new();
    if confirmed(order) {
        for line in &order.lines {
            *must.entry(line.product_id).or_default() += i64::from(line.quantity);
        }
    }
    let of_order = index.claimed.range((order.id, Uuid::nil())..=(order.id, Uuid::max()));
    let is: BTreeMap<Uuid, i64> = of_order
        .map(|((_, product), units)| (*product, *units))
        .filter(|(_, units)| *units != 0)
        .collect();
    if order.status != OrderStatus::Placed {
        violations.equal("stock", order.id, "what it took from the stock", &is, &must);
    }
}

pub(super) fn mails_of(violations: &mut Violations, order: &OrderFound, index: &Index<'_>) {
    let Some(mails) = &index.mails else { return };
    let mails = mails.get(&order.id).map_or(&[][..], Vec::as_slice);
    let count = |kind: &str| mails.iter().filter(|mail| **mail == kind).count();
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
