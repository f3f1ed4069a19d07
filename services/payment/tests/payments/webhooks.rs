//! The provider's webhooks over HTTP: who sent them, when, how often and in which order.

use crate::events::Order;
use crate::shop::{Answer, Shop, WEBHOOK_SECRET};
use serde_json::{Value, json};
use shop_kit_testshards::PATIENCE;
use shop_payment::{signature, webhook};
use uuid::Uuid;

const PATH: &str = "/api/v1/payments/webhooks";

async fn send(shop: &Shop, secret: &str, seconds: u64, body: &Value) -> Answer {
    let body = body.to_string();
    let signed = signature::sign(secret, seconds, body.as_bytes());
    let headers = [
        (signature::HEADER, signed.as_str()),
        ("content-type", "application/json"),
    ];
    shop.post(&headers, PATH, body.as_bytes()).await
}

async fn tell(shop: &Shop, key: &str, outcome: &str) -> Answer {
    let body = json!({"event_id": Uuid::now_v7(), "key": key, "outcome": outcome});
    send(shop, WEBHOOK_SECRET, webhook::now(), &body).await
}

/// An order whose payment waits for its provider.
async fn waiting(shop: &Shop) -> (Order, Uuid) {
    let order = Order::new("tok_ok");
    let told = [shop_payment::job::intend::Told::read(&order.placed()).unwrap()];
    shop_payment::job::intend::intend(&shop.pool, &told, PATIENCE)
        .await
        .unwrap();
    (order, shop.payment_of(order.id).await)
}

#[tokio::test]
async fn forged_old_and_unsigned_webhooks_are_refused() {
    let shop = Shop::start().await;
    let (order, payment) = waiting(&shop).await;
    let body = json!({"event_id": Uuid::now_v7(), "key": payment, "outcome": "done"});
    let now = webhook::now();
    for (secret, seconds) in [
        ("guess", now),
        (WEBHOOK_SECRET, now - 400),
        (WEBHOOK_SECRET, now + 400),
        ("", now),
    ] {
        let answer = send(&shop, secret, seconds, &body).await;
        assert_eq!(
            (answer.status, &answer.body["type"]),
            (401, &json!("urn:shop:problem:signature")),
            "{answer:?}"
        );
    }
    let signed = signature::sign(WEBHOOK_SECRET, now, body.to_string().as_bytes());
    let other = json!({"event_id": Uuid::now_v7(), "key": payment, "outcome": "declined"}).to_string();
    for (header, body) in [
        (signed.as_str(), other.as_bytes()),
        ("", b"{}".as_slice()),
        ("t=1,v1=00", b"{}".as_slice()),
    ] {
        assert_eq!(
            shop.post(&[(signature::HEADER, header)], PATH, body).await.status,
            401,
            "{header}"
        );
    }
    assert_eq!(shop.post(&[], PATH, b"{}").await.status, 401);
    assert_eq!(shop.state(order.id).await, "authorizing");
    assert_eq!(shop.count("select count(*) from payment_webhooks").await, 0);
}

#[tokio::test]
async fn a_webhook_answers_once_however_often_it_comes() {
    let shop = Shop::start().await;
    let (order, payment) = waiting(&shop).await;
    let body = json!({"event_id": Uuid::now_v7(), "key": payment, "outcome": "done"});
    let sent = (0..6).map(|_| send(&shop, WEBHOOK_SECRET, webhook::now(), &body));
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    // The same answer under another id, and the opposite one: both come too late.
    assert_eq!(tell(&shop, &payment.to_string(), "done").await.status, 204);
    assert_eq!(tell(&shop, &payment.to_string(), "declined").await.status, 204);
    assert_eq!(shop.state(order.id).await, "authorized");
    assert_eq!(shop.kinds(order.id).await, ["payment.authorized"]);
    assert_eq!(shop.count("select count(*) from payment_webhooks").await, 3);
}

#[tokio::test]
async fn webhooks_out_of_order_or_about_strangers_change_nothing() {
    let shop = Shop::start().await;
    let (order, payment) = waiting(&shop).await;
    for key in [
        format!("{payment}/capture"),
        format!("{payment}/void"),
        format!("{payment}/refund/{}", Uuid::now_v7()),
        Uuid::now_v7().to_string(),
    ] {
        assert_eq!(tell(&shop, &key, "done").await.status, 204, "{key}");
    }
    assert_eq!(shop.state(order.id).await, "authorizing");
    assert_eq!(shop.kinds(order.id).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_follows_from_a_webhook_is_done_by_the_worker() {
    let shop = Shop::start().await;
    let (order, payment) = waiting(&shop).await;
    let worker = shop.worker();
    worker.tell(&[order.cancelled()]).await;
    assert_eq!(shop.state(order.id).await, "authorizing");
    assert_eq!(tell(&shop, &payment.to_string(), "done").await.status, 204);
    shop.until(order.id, "voided").await;
    worker.stop().await;
    let (declined, payment) = waiting(&shop).await;
    assert_eq!(tell(&shop, &payment.to_string(), "declined").await.status, 204);
    assert_eq!(shop.state(declined.id).await, "declined");
}

#[tokio::test]
async fn signed_nonsense_is_named() {
    let shop = Shop::start().await;
    for (body, status) in [
        (
            json!({"event_id": Uuid::now_v7(), "key": "seven", "outcome": "done"}),
            422,
        ),
        (
            json!({"event_id": Uuid::now_v7(), "key": "x".repeat(300), "outcome": "done"}),
            422,
        ),
        (
            json!({"event_id": Uuid::now_v7(), "key": Uuid::now_v7(), "outcome": "maybe"}),
            422,
        ),
        (
            json!({"event_id": Uuid::now_v7(), "key": Uuid::now_v7(), "outcome": "declined", "reason": "a\u{0}"}),
            422,
        ),
        (json!({}), 422),
    ] {
        assert_eq!(
            send(&shop, WEBHOOK_SECRET, webhook::now(), &body).await.status,
            status,
            "{body}"
        );
    }
    let signed = signature::sign(WEBHOOK_SECRET, webhook::now(), b"{");
    assert_eq!(shop.post(&[(signature::HEADER, &signed)], PATH, b"{").await.status, 400);
}
