//! While a later version is rolled out, its pods write what this one does not know: still shown, never changed, and
//! nothing that is said about such an order is lost.

use crate::saga::payment;
use crate::shop::{Shop, bearer, call};
use serde_json::json;
use shop_contract::api::Role;
use shop_contract::event::PAYMENT_CAPTURED;
use shop_kit_events::{HandleError, Handler};
use uuid::Uuid;

/// Two orders of one customer, the first of them moved on by a pod of a later version.
async fn shop_with_a_later_pod() -> (Shop, Uuid, Uuid, Uuid) {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let (packed, other) = (shop.confirmed_order(user).await, shop.order(user).await);
    shop.run(0, "alter table orders drop constraint orders_status_check")
        .await;
    shop.run(
        0,
        "update orders set status = 'packed', cancel_reason = 'half' where status = 'confirmed'",
    )
    .await;
    shop.run(
        0,
        "insert into order_history select id, 'packed', null, 'robot', null, now() from orders where status = 'packed'",
    )
    .await;
    (shop, user, packed, other)
}

#[tokio::test]
async fn an_order_in_a_state_of_a_later_version_is_shown_as_it_is() {
    let (shop, user, packed, other) = shop_with_a_later_pod().await;
    let shown = shop.get(user, &format!("/api/v1/orders/{packed}")).await;
    assert_eq!(
        (shown.status, &shown.body["status"]),
        (200, &json!("packed")),
        "{shown:?}"
    );
    assert_eq!(shown.body["cancel_reason"], "half");
    let page = shop.get(user, "/api/v1/orders").await;
    let listed: Vec<&str> = page.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [other.to_string(), packed.to_string()]);
    let story = shop.story(user, packed).await;
    let story: Vec<(&str, &str)> = story
        .iter()
        .map(|(status, by)| (status.as_str(), by.as_str()))
        .collect();
    assert_eq!(
        story,
        [("placed", "customer"), ("confirmed", "payment"), ("packed", "robot")]
    );
}

#[tokio::test]
async fn such_an_order_is_not_changed_and_whoever_asks_may_ask_again() {
    let (shop, user, packed, _) = shop_with_a_later_pod().await;
    for (role, verb) in [
        (Role::Customer, "cancel"),
        (Role::Support, "cancel"),
        (Role::Merchant, "ship"),
        (Role::Admin, "deliver"),
    ] {
        let path = format!("/api/v1/orders/{packed}/{verb}");
        let headers = [("idempotency-key", "k")];
        let refused = call(&shop.app, "POST", &path, &bearer(user, role), &headers, None).await;
        assert_eq!(
            (refused.status, &refused.headers["retry-after"]),
            (503, &"1".parse().unwrap()),
            "{refused:?}"
        );
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.contains("`packed`") && detail.contains("later version"),
            "{detail}"
        );
    }
    let kept = "select count(*) from orders where status = 'packed'";
    assert_eq!((shop.count(0, kept).await, shop.told(0, packed).await.len()), (1, 2));
    // The key is free again for the pod that knows the state.
    shop.run(
        0,
        "update orders set status = 'confirmed', cancel_reason = null where status = 'packed'",
    )
    .await;
    let path = format!("/api/v1/orders/{packed}/cancel");
    let done = call(
        &shop.app,
        "POST",
        &path,
        &bearer(user, Role::Customer),
        &[("idempotency-key", "k")],
        None,
    )
    .await;
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test]
async fn what_is_said_about_such_an_order_waits_and_holds_up_no_other() {
    let (shop, user, packed, other) = shop_with_a_later_pod().await;
    let (about, beside) = (
        payment(PAYMENT_CAPTURED, user, packed),
        payment(PAYMENT_CAPTURED, user, other),
    );
    let saga = shop.saga();
    for batch in [vec![about.clone()], vec![beside.clone(), about.clone()]] {
        let waits = saga.handle(&batch).await;
        assert!(matches!(waits, Err(HandleError::Unavailable(_))), "{waits:?}");
    }
    // As the consumer does after an error: one by one.
    saga.handle(&[beside]).await.unwrap();
    assert_eq!(shop.status(user, other).await, "confirmed");
    shop.run(
        0,
        "update orders set status = 'placed', cancel_reason = null where status = 'packed'",
    )
    .await;
    shop.run(0, "delete from order_history where status in ('packed', 'confirmed')")
        .await;
    saga.handle(&[about]).await.unwrap();
    assert_eq!(shop.status(user, packed).await, "confirmed");
}
