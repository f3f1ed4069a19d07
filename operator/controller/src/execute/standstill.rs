//! Where an order that is not confirmed in time stands, and whose fault that is. Pure: the order, the state of its payment,
//! out comes a failure that names the next one who should have acted.

use super::proof::Failure;
use shop_contract::api::payment::PaymentStatus;
use shop_contract::api::{CancelReason, Order, OrderStatus};
use std::time::Duration;

/// `payment` is `None` when nobody has begun one.
pub fn standstill(order: &Order, payment: Option<PaymentStatus>, waited: Duration) -> Failure {
    let failure = |tier: &str, message: String| Failure {
        tier: tier.to_owned(),
        message: format!("order {} {message}", order.id),
    };
    if order.status == OrderStatus::Cancelled {
        let (tier, why) = match order.cancel_reason {
            Some(CancelReason::PaymentDeclined) => ("service/payment", "its payment was declined"),
            Some(CancelReason::OutOfStock) => ("service/inventory", "its stock was refused"),
            Some(CancelReason::Customer | CancelReason::Support) | None => ("service/order", "nobody asked for that"),
        };
        return failure(tier, format!("was cancelled: {why}"));
    }
    let (tier, next) = match payment {
        None => ("rabbitmq", NOT_BEGUN),
        Some(PaymentStatus::Authorized) => ("service/inventory", NOT_CLAIMED),
        Some(PaymentStatus::Captured) => ("service/order", "it is paid, order's worker has not confirmed it"),
        Some(
            PaymentStatus::Authorizing
            | PaymentStatus::Declined
            | PaymentStatus::Capturing
            | PaymentStatus::Voiding
            | PaymentStatus::Voided
            | PaymentStatus::Refunding
            | PaymentStatus::Refunded,
        ) => ("service/payment", "payment's worker has not settled its payment"),
    };
    failure(tier, format!("was not confirmed within {} s: {next}", waited.as_secs()))
}

const NOT_BEGUN: &str =
    "its payment has not begun: order's worker does not send, RabbitMQ does not deliver, or payment's does not take";
const NOT_CLAIMED: &str = "inventory's worker has not claimed its stock, or payment's has not captured";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn order(status: OrderStatus, cancel_reason: Option<CancelReason>) -> Order {
        let order = json!({
            "id": Uuid::nil(), "user_id": Uuid::nil(), "status": status, "total_cents": 1, "currency": "EUR", "shard": 0,
            "lines": [], "cancel_reason": cancel_reason, "created_at": "",
        });
        serde_json::from_value(order).expect("an order")
    }

    #[test]
    fn the_next_one_to_act_is_named() {
        let placed = order(OrderStatus::Placed, None);
        let tier = |payment| standstill(&placed, payment, Duration::from_secs(20)).tier;
        let tiers = [
            None,
            Some(PaymentStatus::Capturing),
            Some(PaymentStatus::Authorized),
            Some(PaymentStatus::Captured),
        ]
        .map(tier);
        assert_eq!(
            tiers,
            ["rabbitmq", "service/payment", "service/inventory", "service/order"]
        );
        let message = standstill(&placed, None, Duration::from_secs(20)).message;
        assert!(message.contains("20 s") && message.contains("RabbitMQ"), "{message}");
    }

    #[test]
    fn a_cancelled_order_names_who_refused() {
        let of = |reason| standstill(&order(OrderStatus::Cancelled, reason), None, Duration::ZERO).tier;
        let tiers = [
            CancelReason::PaymentDeclined,
            CancelReason::OutOfStock,
            CancelReason::Support,
        ]
        .map(|one| of(Some(one)));
        assert_eq!(tiers, ["service/payment", "service/inventory", "service/order"]);
    }
}
