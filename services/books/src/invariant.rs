//! What has to hold, named once: the names are the labels of the metrics, the keys of the tables and the words of the
//! API.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    StockLevel,
    StockMovements,
    CapturedOnce,
    PaidOnce,
    PaidClaimed,
    OrderSettled,
    CancelledReleased,
    OutboxFresh,
    Money,
    ReservationExpired,
    PaymentHasOrder,
}

impl Invariant {
    pub const ALL: [Self; 11] = [
        Self::StockLevel,
        Self::StockMovements,
        Self::CapturedOnce,
        Self::PaidOnce,
        Self::PaidClaimed,
        Self::OrderSettled,
        Self::CancelledReleased,
        Self::OutboxFresh,
        Self::Money,
        Self::ReservationExpired,
        Self::PaymentHasOrder,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::StockLevel => "stock_level",
            Self::StockMovements => "stock_movements",
            Self::CapturedOnce => "captured_once",
            Self::PaidOnce => "paid_once",
            Self::PaidClaimed => "paid_claimed",
            Self::OrderSettled => "order_settled",
            Self::CancelledReleased => "cancelled_released",
            Self::OutboxFresh => "outbox_fresh",
            Self::Money => "money",
            Self::ReservationExpired => "reservation_expired",
            Self::PaymentHasOrder => "payment_has_order",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::StockLevel => "on hand less claimed less reserved is at least 0 for every product",
            Self::StockMovements => {
                "the stock of every product is the sum of its movements, and what is reserved the sum of its reservations"
            }
            Self::CapturedOnce => "the provider captured at most once per order",
            Self::PaidOnce => "every confirmed order was captured exactly once, to the cent of its total",
            Self::PaidClaimed => "every captured order has claimed exactly what it ordered",
            Self::OrderSettled => "no order waits longer than a few minutes for its payment or its stock",
            Self::CancelledReleased => "a cancelled order holds no money, no authorisation and no stock",
            Self::OutboxFresh => "no event waits longer than a minute for its publication",
            Self::Money => "confirmed orders of all shards = captured − refunded, per currency",
            Self::ReservationExpired => "no reservation is held long after its end",
            Self::PaymentHasOrder => "every payment that holds money belongs to an order that exists",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|invariant| invariant.name() == name)
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
