//! While a later version is rolled out, its pods write states this one does not know: still shown, never changed, and
//! nothing that is said about such a payment is lost.

use crate::events::Order;
use crate::shop::{Shop, WEBHOOK_SECRET, bearer};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_events::{HandleError, Handler};
use shop_payment::job::settle::{Answer, settle};
use shop_payment::provider::{Key, Outcome};
use shop_payment::{signature, webhook};
use uuid::Uuid;

/// An order whose payment a pod of a later version has moved on from `authorized`.
async fn held(shop: &Shop) -> (Order, Uuid) {
    let order = Order::new("tok_ok");
    let worker = shop.worker();
    worker.tell(&[order.placed()]).await;
    shop.until(order.id, "authorized").await;
    worker.stop().await;
    shop.run("alter table payments drop constraint if exists payments_state_check")
        .await;
    shop.run("update payments set state = 'held' where state = 'authorized'")
        .await;
    (order, shop.payment_of(order.id).await)
}

#[tokio::test]
async fn a_payment_in_a_state_of_a_later_version_is_shown_as_it_is() {
    let shop = Shop::start().await;
    let (order, payment) = held(&shop).await;
    let bearer = bearer(order.user, Role::Customer);
    let shown = shop.get(&bearer, &format!("/api/v1/payments/{payment}")).await;
    assert_eq!(
        (shown.status, &shown.body["status"]),
        (200, &json!("held")),
        "{shown:?}"
    );
    let page = shop.get(&bearer, "/api/v1/payments").await;
    assert_eq!(page.body["items"], Value::Array(vec![shown.body]), "{page:?}");
}

#[tokio::test]
async fn what_orders_say_of_it_waits_and_holds_up_no_other() {
    let shop = Shop::start().await;
    let (order, _) = held(&shop).await;
    let (about, other) = (order.claimed(), Order::new("tok_ok"));
    let worker = shop.worker();
    for batch in [vec![about.clone()], vec![other.placed(), about.clone()]] {
        let waits = worker.accept.handle(&batch).await;
        assert!(matches!(waits, Err(HandleError::Unavailable(_))), "{waits:?}");
    }
    // As the consumer does after an error: one by one.
    worker.tell(&[other.placed()]).await;
    shop.until(other.id, "authorized").await;
    assert_eq!(shop.state(order.id).await, "held");
    shop.run("update payments set state = 'authorized' where state = 'held'")
        .await;
    worker.tell(&[about]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
}

#[tokio::test]
async fn answers_about_it_are_left_to_the_later_version() {
    let shop = Shop::start().await;
    let (order, payment) = held(&shop).await;
    let (other, asking) = (Order::new("tok_ok"), shop_payment::job::intend::Told::read);
    let told = [asking(&other.placed()).unwrap()];
    let lease = std::time::Duration::from_secs(60);
    shop_payment::job::intend::intend(&shop.pool, &told, lease)
        .await
        .unwrap();
    let done = |payment| Answer {
        key: Key::Authorise(payment),
        outcome: Outcome::Done,
    };
    let answers = [done(payment), done(shop.payment_of(other.id).await)];
    settle(&shop.pool, &answers, crate::shop::impatient().waits)
        .await
        .unwrap();
    assert_eq!(
        (shop.state(order.id).await, shop.state(other.id).await),
        ("held".to_owned(), "authorized".to_owned())
    );

    let body = json!({"event_id": Uuid::now_v7(), "key": payment, "outcome": "done"}).to_string();
    let signed = signature::sign(WEBHOOK_SECRET, webhook::now(), body.as_bytes());
    let headers = [
        (signature::HEADER, signed.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = shop.post(&headers, "/api/v1/payments/webhooks", body.as_bytes()).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(
        shop.count("select count(*) from payment_webhooks").await,
        0,
        "the provider tells it again"
    );
}

#[tokio::test]
async fn nobody_gets_a_refund_of_it_from_here() {
    let shop = Shop::start().await;
    let (_, payment) = held(&shop).await;
    let bearer = bearer(Uuid::from_u128(1), Role::Support);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "a"),
    ];
    let path = format!("/api/v1/payments/{payment}/refunds");
    for _ in 0..2 {
        let refused = shop.post(&headers, &path, br#"{"amount_cents": 1}"#).await;
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(refused.status == 409 && detail.contains("`held`"), "{refused:?}");
    }
    assert_eq!(shop.count("select count(*) from payment_refunds").await, 0);
}
