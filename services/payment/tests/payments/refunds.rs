//! Refunds by support: in parts, each once, never more than was captured, and together with a cancellation.

use crate::events::{CENTS, Order};
use crate::history::check;
use crate::shop::{Answer, Shop, bearer};
use serde_json::{Value, json};
use shop_contract::api::Role;
use std::sync::Arc;
use uuid::Uuid;

async fn captured(shop: &Shop, token: &'static str) -> (Order, Uuid) {
    let order = Order::new(token);
    let worker = shop.worker();
    worker.tell(&[order.placed(), order.claimed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    (order, shop.payment_of(order.id).await)
}

async fn refund(shop: &Shop, payment: Uuid, key: &str, body: &Value) -> Answer {
    let bearer = bearer(Uuid::from_u128(1), Role::Support);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    let path = format!("/api/v1/payments/{payment}/refunds");
    shop.post(&headers, &path, body.to_string().as_bytes()).await
}

async fn shown(shop: &Shop, payment: Uuid) -> Value {
    shop.get(
        &bearer(Uuid::from_u128(1), Role::Support),
        &format!("/api/v1/payments/{payment}"),
    )
    .await
    .body
}

#[tokio::test]
async fn parts_are_given_back_until_nothing_is_left() {
    let shop = Shop::start().await;
    let (order, payment) = captured(&shop, "tok_flaky").await;
    let first = refund(
        &shop,
        payment,
        "a",
        &json!({"amount_cents": 500, "reason": "a scratch"}),
    )
    .await;
    assert_eq!(
        (first.status, &first.body["status"]),
        (201, &json!("pending")),
        "{first:?}"
    );
    assert_eq!(first.headers["location"], format!("/api/v1/payments/{payment}"));
    let again = refund(
        &shop,
        payment,
        "a",
        &json!({"reason": "a scratch", "amount_cents": 500}),
    )
    .await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = refund(&shop, payment, "a", &json!({"amount_cents": 501})).await;
    assert_eq!(
        (other.status, &other.body["type"]),
        (422, &json!("urn:shop:problem:idempotency-key-reused"))
    );
    let worker = shop.worker();
    shop.until_none("select count(*) from payment_refunds where state = 'pending'")
        .await;
    worker.stop().await;
    assert_eq!(shop.state(order.id).await, "captured", "a part is not all");
    let much = refund(&shop, payment, "b", &json!({"amount_cents": 1_001})).await;
    assert_eq!(
        (much.status, &much.body["errors"][0]["pointer"]),
        (422, &json!("/amount_cents"))
    );
    assert_eq!(
        refund(&shop, payment, "b", &json!({"amount_cents": 1_000}))
            .await
            .status,
        201
    );

    let worker = shop.worker();
    shop.until(order.id, "refunded").await;
    worker.stop().await;
    let shown = shown(&shop, payment).await;
    assert_eq!(
        (&shown["status"], &shown["refunded_cents"]),
        (&json!("refunded"), &json!(CENTS))
    );
    let refunds: Vec<&Value> = shown["refunds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refund| &refund["status"])
        .collect();
    assert_eq!(refunds, [&json!("done"), &json!("done")]);
    let told = shop.told(order.id).await;
    let back: i64 = told
        .iter()
        .filter(|(kind, _)| kind == "payment.refunded")
        .map(|(_, event)| event["amount_cents"].as_i64().unwrap())
        .sum();
    assert_eq!(back, CENTS);
    assert_eq!(
        check(&shop.ledger().await, &[(order.id, CENTS)].into()),
        Vec::<String>::new()
    );
    assert_eq!(
        refund(&shop, payment, "c", &json!({"amount_cents": 1})).await.status,
        409
    );
}

#[tokio::test]
async fn many_at_once_never_give_back_more_than_was_captured() {
    let shop = Shop::start().await;
    let (order, payment) = captured(&shop, "tok_ok").await;
    let bodies: Vec<(String, Value)> = (0..12)
        .map(|number| (format!("key-{number}"), json!({"amount_cents": 400})))
        .collect();
    let answers = futures::future::join_all(bodies.iter().map(|(key, body)| refund(&shop, payment, key, body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(
        (made, answers.iter().filter(|answer| answer.status == 422).count()),
        (3, 9),
        "{answers:?}"
    );

    // The cancellation gives back the rest, and only the rest.
    let worker = shop.worker();
    worker.tell(&[order.cancelled()]).await;
    shop.until(order.id, "refunded").await;
    worker.stop().await;
    assert_eq!(
        check(&shop.ledger().await, &[(order.id, CENTS)].into()),
        Vec::<String>::new()
    );
    let sum = "select sum(amount_cents)::bigint from provider_ledger where operation = 'refund'";
    assert_eq!(shop.count(sum).await, CENTS);
    assert_eq!(shop.count("select count(*) from payment_refunds").await, 4);
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let shop = Shop::start().await;
    let (_, payment) = captured(&shop, "tok_ok").await;
    for (body, status, pointer) in [
        (json!({"amount_cents": 0}), 422, "/amount_cents"),
        (json!({"amount_cents": -5}), 422, "/amount_cents"),
        (json!({"amount_cents": 1.5}), 422, "/amount_cents"),
        (json!({"amount_cents": "all"}), 422, "/amount_cents"),
        (json!({"amount_cents": i64::MAX}), 422, "/amount_cents"),
        (json!({"amount_cents": 1, "reason": "x".repeat(201)}), 422, "/reason"),
        (json!({"amount_cents": 1, "reason": "a\u{0}b"}), 422, "/reason"),
        (json!({"amount_cents": 1, "to": "me"}), 422, "/to"),
        (json!({}), 422, ""),
    ] {
        let answer = refund(&shop, payment, "key", &body).await;
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["pointer"]),
            (status, &json!(pointer)),
            "{body}: {answer:?}"
        );
    }
    let good = json!({"amount_cents": 1});
    assert_eq!(refund(&shop, Uuid::now_v7(), "key", &good).await.status, 404);
    assert_eq!(refund(&shop, payment, "", &good).await.status, 400);
    let support = bearer(Uuid::from_u128(1), Role::Support);
    let path = format!("/api/v1/payments/{payment}/refunds");
    let headers = [
        ("authorization", support.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        shop.post(&headers, &path, good.to_string().as_bytes()).await.status,
        400
    );
    assert_eq!(shop.count("select count(*) from payment_refunds").await, 0);

    let order = Order::new("tok_ok");
    let worker = shop.worker();
    worker.tell(&[order.placed()]).await;
    shop.until(order.id, "authorized").await;
    worker.stop().await;
    assert_eq!(
        refund(&shop, shop.payment_of(order.id).await, "key", &good)
            .await
            .status,
        409
    );
    // The key of a refused request is free again.
    assert_eq!(refund(&shop, payment, "key", &good).await.status, 201);
}

#[tokio::test]
async fn the_key_of_a_refund_that_failed_is_free_at_once() {
    let shop = Shop::start().await;
    let (_, payment) = captured(&shop, "tok_ok").await;
    let body = json!({"amount_cents": 500});
    shop.run("alter table payment_refunds add constraint broken check (false) not valid")
        .await;
    assert_eq!(refund(&shop, payment, "key", &body).await.status, 500);
    shop.run("alter table payment_refunds drop constraint broken").await;
    let again = refund(&shop, payment, "key", &body).await;
    assert_eq!(again.status, 201, "{again:?}");
}

#[tokio::test]
async fn a_refund_is_made_though_its_client_hangs_up() {
    let shop = Arc::new(Shop::start().await);
    let (_, payment) = captured(&shop, "tok_ok").await;
    let body = json!({"amount_cents": 500});
    let mut slow = shop.pool.begin().await.unwrap();
    sqlx::query("select from payments for update")
        .execute(&mut *slow)
        .await
        .unwrap();
    let (there, sent) = (shop.clone(), body.clone());
    let hangs_up = tokio::spawn(async move { refund(&there, payment, "key", &sent).await });
    let waits = "select 1 - count(*) from pg_stat_activity \
         where datname = current_database() and wait_event_type = 'Lock'";
    shop.until_none(waits).await;
    hangs_up.abort();
    assert!(hangs_up.await.unwrap_err().is_cancelled());
    slow.commit().await.unwrap();
    shop.until_none("select 1 - count(*) from payment_refunds").await;
    let again = refund(&shop, payment, "key", &body).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(again.headers["idempotency-replayed"], "true");
}
