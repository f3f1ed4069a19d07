//! Money over all shards. Each order counts with both its sides or not at all, so the sums of a pass are comparable
//! although no two databases are read at the same instant.

use super::{Finding, Limits};
use crate::facts::{OrderFacts, Seen};
use crate::invariant::Invariant;
use shop_contract::api::books::MoneyTotal;
use std::collections::BTreeMap;

/// Sums per currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(pub BTreeMap<String, MoneyTotal>);

impl Sums {
    /// Orders under way are left out: their money and their status do not move at the same moment. So are those of
    /// detached months, whose payments stay.
    pub fn add(&mut self, facts: &OrderFacts, limits: &Limits) {
        if facts.exempt() || facts.under_way(limits) {
            return;
        }
        let (currency, confirmed) = match &facts.order {
            Seen::Unknown(_) | Seen::Detached => return,
            Seen::Known(order) => (&order.currency, order.due_cents(facts.refunded_cents())),
            Seen::Absent => match &facts.payment {
                Some(payment) => (&payment.currency, 0),
                None => return,
            },
        };
        let total = self.of(currency);
        total.orders += 1;
        total.confirmed_cents += confirmed;
        total.captured_cents += facts.ledger.captured_cents;
        total.refunded_cents += facts.ledger.refunded_cents;
    }

    pub fn merge(&mut self, other: Self) {
        for (currency, more) in other.0 {
            let total = self.of(&currency);
            total.orders += more.orders;
            total.confirmed_cents += more.confirmed_cents;
            total.captured_cents += more.captured_cents;
            total.refunded_cents += more.refunded_cents;
        }
    }

    fn of(&mut self, currency: &str) -> &mut MoneyTotal {
        self.0.entry(currency.to_owned()).or_insert_with(|| MoneyTotal {
            currency: currency.to_owned(),
            orders: 0,
            confirmed_cents: 0,
            captured_cents: 0,
            refunded_cents: 0,
        })
    }
}

impl FromIterator<MoneyTotal> for Sums {
    fn from_iter<I: IntoIterator<Item = MoneyTotal>>(totals: I) -> Self {
        Self(
            totals
                .into_iter()
                .map(|total| (total.currency.clone(), total))
                .collect(),
        )
    }
}

pub fn check_money(total: &MoneyTotal) -> Option<Finding> {
    let net = total.captured_cents - total.refunded_cents;
    (net != total.confirmed_cents).then(|| Finding {
        invariant: Invariant::Money,
        object: format!("currency/{}", total.currency),
        detail: format!(
            "{} orders: confirmed {}, captured {} − refunded {} = {net}: {} cents differ",
            total.orders,
            total.confirmed_cents,
            total.captured_cents,
            total.refunded_cents,
            net - total.confirmed_cents
        ),
    })
}
