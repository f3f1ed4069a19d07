//! Sales and funnel by hour: each fact counts once, wherever its hour lies.

use crate::shop::{Shop, message, order, product};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_contract::event::{ORDER_CANCELLED, ORDER_CONFIRMED, ORDER_PLACED, USER_REGISTERED};
use shop_kit_events::{HandleError, Handler, Message};
use shop_recommendation::job::analyse::Analyse;
use uuid::Uuid;

async fn count(shop: &Shop, messages: &[Message]) {
    Analyse {
        pool: shop.pool.clone(),
    }
    .handle(messages)
    .await
    .unwrap();
}

fn at(kind: &str, at: &str, mut given: Value) -> Message {
    given["at"] = json!(at);
    message(kind, given)
}

#[tokio::test]
async fn sales_are_summed_by_hour_and_currency() {
    let shop = Shop::start().await;
    let lines = json!([{"product_id": product(1), "quantity": 3, "price_cents": 50}]);
    let sale = |time: &str, currency: &str| {
        at(
            ORDER_CONFIRMED,
            time,
            json!({"lines": lines, "total_cents": 150, "currency": currency}),
        )
    };
    let messages = [
        sale("2026-11-24T10:00:00Z", "EUR"),
        sale("2026-11-24T10:59:59.999Z", "EUR"),
        sale("2026-11-24T11:00:00Z", "EUR"),
        sale("2026-11-24T13:30:00+02:00", "USD"),
        sale("2026-11-24T12:00:00Z", "EUR"),
    ];
    count(&shop, &messages).await;
    count(&shop, &messages[..2]).await;
    let sales = shop
        .merchant("/api/v1/analytics/sales?from=2026-11-24T10:20:00Z&to=2026-11-24T11:10:00Z")
        .await;
    let hour = |hour: &str, currency: &str, orders: i64| json!({"hour": hour, "currency": currency, "orders": orders, "items": 3 * orders, "cents": 150 * orders});
    let expected = json!([
        hour("2026-11-24T10:00:00Z", "EUR", 2),
        hour("2026-11-24T11:00:00Z", "EUR", 1),
        hour("2026-11-24T11:00:00Z", "USD", 1),
    ]);
    assert_eq!(sales["hours"], expected);
    assert_eq!(
        (&sales["from"], &sales["to"]),
        (&json!("2026-11-24T10:00:00Z"), &json!("2026-11-24T12:00:00Z"))
    );
    let totals = json!([
        {"currency": "EUR", "orders": 3, "items": 9, "cents": 450}, {"currency": "USD", "orders": 1, "items": 3, "cents": 150},
    ]);
    assert_eq!(sales["totals"], totals);
}

#[tokio::test]
async fn the_funnel_counts_every_step_once() {
    let shop = Shop::start().await;
    let user = Uuid::now_v7();
    let registered = || {
        let event = Uuid::now_v7();
        let payload = json!({"event_id": event, "user_id": user, "synthetic": false})
            .to_string()
            .into_bytes();
        Message {
            id: event,
            kind: USER_REGISTERED.to_owned(),
            payload,
            attempt: 1,
        }
    };
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    let mut messages: Vec<Message> = ids.iter().map(|id| order(ORDER_PLACED, *id, user, &[1])).collect();
    messages.push(order(ORDER_CONFIRMED, ids[0], user, &[1]));
    for (id, reason) in [
        (ids[1], "out_of_stock"),
        (ids[2], "payment_declined"),
        (ids[3], "out_of_stock"),
    ] {
        messages.push(message(
            ORDER_CANCELLED,
            json!({"order_id": id, "cancel_reason": reason}),
        ));
    }
    messages.push(registered());
    messages.push(registered());
    let again = messages.clone();
    messages.extend(again);
    count(&shop, &messages).await;
    count(&shop, &[registered()]).await;
    let funnel = shop.merchant("/api/v1/analytics/funnel").await;
    let total =
        json!({"registered": 1, "placed": 4, "confirmed": 1, "cancelled": {"out_of_stock": 2, "payment_declined": 1}});
    assert_eq!(funnel["total"], total);
}

#[tokio::test]
async fn what_is_no_event_is_poison_and_counts_nothing() {
    let shop = Shop::start().await;
    let analyse = Analyse {
        pool: shop.pool.clone(),
    };
    let (good, mut bad) = (
        order(ORDER_PLACED, Uuid::now_v7(), Uuid::now_v7(), &[1]),
        order(ORDER_PLACED, Uuid::now_v7(), Uuid::now_v7(), &[1]),
    );
    bad.payload = b"{}".to_vec();
    let strange = message("order.eaten", json!({}));
    let odd_time = at(ORDER_PLACED, "yesterday", json!({}));
    for message in [bad, strange, odd_time] {
        let handled = analyse.handle(&[good.clone(), message]).await;
        assert!(matches!(handled, Err(HandleError::Poison(_))), "{handled:?}");
    }
    assert!(shop.learnt().await.is_empty());
}

#[tokio::test]
async fn bad_spans_are_400() {
    let shop = Shop::start().await;
    let admin = Some((Uuid::now_v7(), Role::Admin));
    for query in [
        "from=yesterday",
        "to=now",
        "from=",
        "from=2026-11-24",
        "to=%00",
        "since=2026-11-24T00:00:00Z",
        "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z",
        "from=-009999-01-01T00:00:00Z",
        "to=9999-12-30T22:00:00Z&from=0001-01-01T00:00:00Z",
    ] {
        for route in ["sales", "funnel"] {
            let (status, body) = shop.get(&format!("/api/v1/analytics/{route}?{query}"), admin).await;
            assert_eq!((status, &body["status"]), (400, &json!(400)), "{query}: {body}");
        }
    }
}
