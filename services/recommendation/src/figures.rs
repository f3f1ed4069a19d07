//! What events add to the merchant's figures. In: events that were not counted before. Out: sums by hour, in the order of
//! their keys. Pure.

use jiff::Timestamp;
use shop_contract::api::CancelReason;
use shop_contract::event::OrderEvent;
use std::collections::BTreeMap;

const HOUR: i64 = 3600;

/// A step of the funnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Registered,
    Placed,
    Confirmed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    pub orders: i64,
    pub items: i64,
    pub cents: i64,
}

/// Keys begin with the hour: the second, since 1970, at which it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By hour and currency.
    pub sales: BTreeMap<(i64, String), Sold>,
    /// By hour, step and reason; the reason is empty but for cancellations.
    pub funnel: BTreeMap<(i64, Step, &'static str), i64>,
}

impl Step {
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Figures {
    pub fn step(&mut self, at: Timestamp, step: Step, reason: Option<CancelReason>) {
        let reason = reason.map_or("", reason_name);
        *self.funnel.entry((hour_of(at), step, reason)).or_default() += 1;
    }

    pub fn sale(&mut self, at: Timestamp, order: &OrderEvent) {
        let sold = self.sales.entry((hour_of(at), order.currency.clone())).or_default();
        sold.orders += 1;
        sold.items += order.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>();
        sold.cents += order.total_cents;
    }
}

/// The second at which the hour began.
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR) * HOUR
}

fn reason_name(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Customer => "customer",
        CancelReason::Support => "support",
        CancelReason::PaymentDeclined => "payment_declined",
        CancelReason::OutOfStock => "out_of_stock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_begin_at_full_hours_before_1970_too() {
        for (second, hour) in [(0, 0), (3_599, 0), (3_600, 3_600), (-1, -3_600)] {
            assert_eq!(hour_of(Timestamp::from_second(second).unwrap()), hour);
        }
    }

    #[test]
    fn cancellations_are_told_apart_by_reason() {
        let mut figures = Figures::default();
        let at = Timestamp::from_second(7_200).unwrap();
        figures.step(at, Step::Cancelled, Some(CancelReason::OutOfStock));
        figures.step(at, Step::Cancelled, Some(CancelReason::Customer));
        figures.step(at, Step::Cancelled, Some(CancelReason::OutOfStock));
        assert_eq!(figures.funnel[&(7_200, Step::Cancelled, "out_of_stock")], 2);
        assert_eq!(figures.funnel[&(7_200, Step::Cancelled, "customer")], 1);
    }
}
