//! The states of an order. In: its state and what happened. Out: the state it moves to, or that it stays, or that a
//! command cannot be obeyed. Pure. Events may come in any order and again and again: from `placed` and `confirmed`
//! they only ever lead forward (`placed` < `confirmed` < `cancelled`), so their order does not matter; what comes too
//! late changes nothing, because the others learn of a cancellation from `order.cancelled` and give everything back.

use shop_contract::api::{CancelReason, OrderStatus};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Placed,
    Confirmed,
    Shipped,
    Delivered,
    Cancelled(CancelReason),
}

/// What happened, or is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `payment.captured`.
    Captured,
    /// `payment.declined`.
    Declined,
    /// `stock.rejected`.
    OutOfStock,
    CancelByCustomer,
    CancelBySupport,
    Ship,
    Deliver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Move(State),
    /// It is so already, or it does not matter any more.
    Stay,
    /// A command that this state does not allow.
    Refuse,
}

pub fn next(state: State, step: Step) -> Next {
    match step {
        Step::Captured => match state {
            State::Placed => Next::Move(State::Confirmed),
            State::Confirmed | State::Shipped | State::Delivered | State::Cancelled(_) => Next::Stay,
        },
        Step::Declined => cancel(state, CancelReason::PaymentDeclined, Next::Stay),
        Step::OutOfStock => cancel(state, CancelReason::OutOfStock, Next::Stay),
        Step::CancelByCustomer => cancel(state, CancelReason::Customer, Next::Refuse),
        Step::CancelBySupport => cancel(state, CancelReason::Support, Next::Refuse),
        Step::Ship => match state {
            State::Confirmed => Next::Move(State::Shipped),
            State::Shipped | State::Delivered => Next::Stay,
            State::Placed | State::Cancelled(_) => Next::Refuse,
        },
        Step::Deliver => match state {
            State::Shipped => Next::Move(State::Delivered),
            State::Delivered => Next::Stay,
            State::Placed | State::Confirmed | State::Cancelled(_) => Next::Refuse,
        },
    }
}

/// The first reason stays; `too_late` is the answer once the goods are on their way.
fn cancel(state: State, reason: CancelReason, too_late: Next) -> Next {
    match state {
        State::Placed | State::Confirmed => Next::Move(State::Cancelled(reason)),
        State::Cancelled(_) => Next::Stay,
        State::Shipped | State::Delivered => too_late,
    }
}

impl State {
    /// None for a status and reason that do not belong together.
    pub fn of(status: OrderStatus, reason: Option<CancelReason>) -> Option<Self> {
        match (status, reason) {
            (OrderStatus::Placed, None) => Some(Self::Placed),
            (OrderStatus::Confirmed, None) => Some(Self::Confirmed),
            (OrderStatus::Shipped, None) => Some(Self::Shipped),
            (OrderStatus::Delivered, None) => Some(Self::Delivered),
            (OrderStatus::Cancelled, Some(reason)) => Some(Self::Cancelled(reason)),
            (OrderStatus::Placed | OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, Some(_))
            | (OrderStatus::Cancelled, None) => None,
        }
    }

    pub fn status(self) -> OrderStatus {
        match self {
            Self::Placed => OrderStatus::Placed,
            Self::Confirmed => OrderStatus::Confirmed,
            Self::Shipped => OrderStatus::Shipped,
            Self::Delivered => OrderStatus::Delivered,
            Self::Cancelled(_) => OrderStatus::Cancelled,
        }
    }

    pub fn reason(self) -> Option<CancelReason> {
        match self {
            Self::Cancelled(reason) => Some(reason),
            Self::Placed | Self::Confirmed | Self::Shipped | Self::Delivered => None,
        }
    }
}
