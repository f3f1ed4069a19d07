//! Restocks and adjustments.

use crate::books::check;
use crate::shop::{Answer, Shop};
use serde_json::{Value, json};
use shop_contract::api::Role;
use std::time::Duration;
use uuid::Uuid;

async fn change(shop: &Shop, product: Uuid, what: &str, key: &str, body: Value) -> Answer {
    let path = format!("/api/v1/stock/{product}/{what}");
    shop.post(&path, Some(Role::Merchant), &[("idempotency-key", key)], &body)
        .await
}

async fn slots(shop: &Shop, product: Uuid) -> i64 {
    sqlx::query_scalar("select count(*) from stock_slots where product_id = $1")
        .bind(product)
        .fetch_one(shop.pool.executor())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_restock_happens_once_and_slots_grow_with_the_stock() {
    let shop = Shop::start().await;
    let product = Uuid::now_v7();
    let first = change(&shop, product, "restocks", "one", json!({"quantity": 10})).await;
    assert_eq!(
        (first.status, &first.body["on_hand"], slots(&shop, product).await),
        (201, &json!(10), 1),
        "{first:?}"
    );
    assert_eq!(first.headers["location"], format!("/api/v1/stock/{product}/movements"));
    let again = change(&shop, product, "restocks", "one", json!({"quantity": 10})).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = change(&shop, product, "restocks", "one", json!({"quantity": 11})).await;
    assert_eq!(
        (other.status, &other.body["type"]),
        (422, &json!("urn:shop:problem:idempotency-key-reused"))
    );
    let more = change(&shop, product, "restocks", "two", json!({"quantity": 490})).await;
    assert_eq!(
        (more.status, slots(&shop, product).await, shop.level(product).await),
        (201, 8, (500, 0))
    );
    check(&shop.pool).await;
}

#[tokio::test]
async fn a_restock_ends_though_its_client_left() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    let restock = || change(&shop, product, "restocks", "key", json!({"quantity": 5}));
    let mut other = shop.pool.begin().await.unwrap();
    sqlx::query("lock table stock_slots")
        .execute(&mut *other)
        .await
        .unwrap();
    let left = tokio::time::timeout(Duration::from_secs(1), restock()).await;
    assert!(left.is_err(), "{left:?}");
    other.rollback().await.unwrap();
    let again = loop {
        match restock().await {
            again if again.status == 409 => tokio::time::sleep(Duration::from_millis(50)).await,
            again => break again,
        }
    };
    let replayed = again.headers.contains_key("idempotency-replayed");
    assert_eq!(
        (again.status, replayed, shop.level(product).await),
        (201, true, (15, 0)),
        "{again:?}"
    );
    check(&shop.pool).await;
}

#[tokio::test]
async fn restocks_of_a_new_product_at_the_same_time_all_count() {
    let shop = Shop::start().await;
    let product = Uuid::now_v7();
    let keys: Vec<String> = (0..8).map(|number| format!("key-{number}")).collect();
    let all = keys
        .iter()
        .map(|key| change(&shop, product, "restocks", key, json!({"quantity": 100})));
    let answers = futures::future::join_all(all).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!((shop.level(product).await, slots(&shop, product).await), ((800, 0), 13));
    check(&shop.pool).await;
}

#[tokio::test]
async fn an_adjustment_says_why_and_takes_nothing_orders_hold() {
    let shop = Shop::start().await;
    let product = shop.product(10, 2).await;
    shop.reserve(Uuid::now_v7(), &[(product, 4)]).await;
    let held = change(
        &shop,
        product,
        "adjustments",
        "a",
        json!({"quantity": -7, "reason": "broken"}),
    )
    .await;
    assert_eq!(
        (held.status, &held.body["type"]),
        (409, &json!("urn:shop:problem:stock-held")),
        "{held:?}"
    );
    // A refused request does not use up its key.
    let less = change(
        &shop,
        product,
        "adjustments",
        "a",
        json!({"quantity": -7, "reason": "broken"}),
    )
    .await;
    assert_eq!(less.status, 409);
    let done = change(
        &shop,
        product,
        "adjustments",
        "b",
        json!({"quantity": -6, "reason": "broken"}),
    )
    .await;
    assert_eq!(
        (done.status, &done.body["on_hand"], &done.body["reserved"]),
        (201, &json!(4), &json!(4)),
        "{done:?}"
    );
    let found = change(
        &shop,
        product,
        "adjustments",
        "c",
        json!({"quantity": 3, "reason": "found"}),
    )
    .await;
    assert_eq!((found.status, shop.level(product).await), (201, (7, 4)));
    let kept = "select count(*) from stock_changes where kind = 'adjusted' and reason in ('broken', 'found')";
    assert_eq!(shop.count(kept).await, 2);
    check(&shop.pool).await;
}

#[tokio::test]
async fn bad_changes_are_refused_by_field_and_leave_nothing() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    let long = "x".repeat(501);
    for (what, body, status, pointer) in [
        ("restocks", json!({"quantity": 0}), 422, "/quantity"),
        ("restocks", json!({"quantity": -1}), 422, "/quantity"),
        ("restocks", json!({"quantity": 1_000_001}), 422, "/quantity"),
        ("restocks", json!({"quantity": 99_999_999_999_i64}), 422, "/quantity"),
        ("restocks", json!({"quantity": "many"}), 422, "/quantity"),
        ("restocks", json!({"quantity": 1, "more": 1}), 422, "/more"),
        ("adjustments", json!({"quantity": 0, "reason": "x"}), 422, "/quantity"),
        ("adjustments", json!({"quantity": 1, "reason": " "}), 422, "/reason"),
        (
            "adjustments",
            json!({"quantity": 1, "reason": "a\u{0}b"}),
            422,
            "/reason",
        ),
        ("adjustments", json!({"quantity": 1, "reason": long}), 422, "/reason"),
    ] {
        let refused = change(&shop, product, what, "key", body.clone()).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (status, &json!(pointer)),
            "{body}"
        );
    }
    let unknown = change(
        &shop,
        Uuid::now_v7(),
        "adjustments",
        "key",
        json!({"quantity": 1, "reason": "x"}),
    )
    .await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let path = format!("/api/v1/stock/{product}/restocks");
    let without = shop
        .post(&path, Some(Role::Merchant), &[], &json!({"quantity": 1}))
        .await;
    assert_eq!(without.status, 400, "{without:?}");
    assert_eq!(shop.level(product).await, (10, 0));
    assert_eq!(shop.count("select count(*) from stock_changes").await, 0);
}

#[tokio::test]
async fn a_product_has_a_most() {
    let shop = Shop::start().await;
    let product = shop.product(999_999_999, 16).await;
    let more = change(&shop, product, "restocks", "key", json!({"quantity": 2})).await;
    assert_eq!(
        (more.status, shop.level(product).await),
        (422, (999_999_999, 0)),
        "{more:?}"
    );
}
