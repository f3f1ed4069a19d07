//! The checker: nothing lost, nothing twice, nothing oversold, money equal to the cent, mails once.

mod order;
mod promise;
mod whole;

use super::{Found, OrderFound, Promises};
use shop_contract::api::OrderStatus;
use std::collections::{BTreeSet, HashMap};
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
    promise::acknowledged(&mut violations, promises, &by_id);
    promise::surplus(&mut violations, promises, found);
    let index = order::Index::of(found);
    for order in by_id.values() {
        order::finished(&mut violations, promises, order);
        order::money_of(&mut violations, order, &index);
        order::stock_of(&mut violations, order, &index);
        order::mails_of(&mut violations, order, &index);
    }
    whole::ledger_of_nothing(&mut violations, &by_id, found);
    whole::levels(&mut violations, found);
    whole::sums(&mut violations, &by_id, found);
    promise::hot(&mut violations, promises, &by_id);
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

fn confirmed(order: &OrderFound) -> bool {
    match order.status {
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => true,
        OrderStatus::Placed | OrderStatus::Cancelled => false,
    }
}
