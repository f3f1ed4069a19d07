//! Events as other services publish them.

use serde::Serialize;
use shop_contract::api::{CancelReason, PricedLine};
use shop_contract::event::{ORDER_CANCELLED, ORDER_PLACED, OrderEvent, STOCK_CLAIMED, StockEvent};
use shop_kit_events::Message;
use uuid::Uuid;

pub const CENTS: i64 = 1_500;
const AT: &str = "2026-01-01T00:00:00.000000Z";

/// An order of a customer of its own, unless told.
#[derive(Clone, Copy)]
pub struct Order {
    pub id: Uuid,
    pub user: Uuid,
    pub token: &'static str,
    pub synthetic: bool,
}

impl Order {
    pub fn new(token: &'static str) -> Self {
        Self {
            id: Uuid::now_v7(),
            user: Uuid::now_v7(),
            token,
            synthetic: false,
        }
    }

    pub fn of(user: Uuid) -> Self {
        Self {
            user,
            ..Self::new("tok_ok")
        }
    }

    pub fn placed(&self) -> Message {
        let event = self.event(Some(self.token.to_owned()), None);
        message(ORDER_PLACED, event.event_id, &event)
    }

    pub fn cancelled(&self) -> Message {
        let event = self.event(None, Some(CancelReason::Customer));
        message(ORDER_CANCELLED, event.event_id, &event)
    }

    pub fn claimed(&self) -> Message {
        let event = StockEvent {
            event_id: Uuid::now_v7(),
            order_id: self.id,
            user_id: self.user,
            synthetic: self.synthetic,
            at: AT.to_owned(),
        };
        message(STOCK_CLAIMED, event.event_id, &event)
    }

    fn event(&self, payment_token: Option<String>, cancel_reason: Option<CancelReason>) -> OrderEvent {
        OrderEvent {
            event_id: Uuid::now_v7(),
            order_id: self.id,
            user_id: self.user,
            total_cents: CENTS,
            currency: "EUR".to_owned(),
            lines: vec![PricedLine {
                product_id: Uuid::from_u128(7),
                quantity: 3,
                price_cents: 500,
            }],
            payment_token,
            cancel_reason,
            synthetic: self.synthetic,
            placed_at: AT.to_owned(),
            at: AT.to_owned(),
        }
    }
}

fn message(kind: &str, id: Uuid, event: &impl Serialize) -> Message {
    Message {
        id,
        kind: kind.to_owned(),
        payload: serde_json::to_vec(event).unwrap(),
        attempt: 1,
    }
}
