//! What customers and merchants see of the stock.

use crate::shop::{Shop, authorized, cancelled};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_kit_testshards::OneDatabase;
use std::collections::BTreeSet;
use std::path::Path;
use uuid::Uuid;

#[tokio::test]
async fn customers_see_about_how_many_there_are_and_merchants_exactly() {
    let shop = Shop::start().await;
    for (units, available, level) in [
        (1, true, "low"),
        (9, true, "low"),
        (10, true, "medium"),
        (100, true, "high"),
    ] {
        let product = shop.product(units, 1).await;
        let path = format!("/api/v1/stock/{product}");
        let seen = shop.get(&path, None).await;
        let expected = json!({"product_id": product, "available": available, "level": level});
        assert_eq!((seen.status, &seen.body), (200, &expected));
        assert_eq!(shop.get(&path, Some(Role::Customer)).await.body, expected);
        let exact = shop.get(&path, Some(Role::Merchant)).await;
        assert_eq!(
            (&exact.body["on_hand"], &exact.body["reserved"]),
            (&json!(units), &json!(0))
        );
    }
    let product = shop.product(2, 1).await;
    shop.reserve(Uuid::now_v7(), &[(product, 2)]).await;
    let seen = shop.get(&format!("/api/v1/stock/{product}"), None).await;
    assert_eq!(
        (&seen.body["available"], &seen.body["level"]),
        (&json!(false), &json!("none"))
    );
}

#[tokio::test]
async fn the_stock_is_seen_while_the_replica_is_away() {
    let lost = OneDatabase::start(&[]).await.unwrap().pool("postgres/catalog/replica");
    lost.close().await;
    let shop = Shop::start_with(Some(lost)).await;
    let product = shop.product(100, 1).await;
    let seen = shop.get(&format!("/api/v1/stock/{product}"), None).await;
    assert_eq!((seen.status, &seen.body["level"]), (200, &json!("high")), "{seen:?}");
}

#[tokio::test]
async fn unknown_products_are_not_found() {
    let shop = Shop::start().await;
    let unknown = Uuid::now_v7();
    for path in [
        format!("/api/v1/stock/{unknown}"),
        format!("/api/v1/stock/{unknown}/movements"),
        "/api/v1/stock/seven".to_owned(),
        "/api/v1/stock".to_owned(),
    ] {
        let answer = shop.get(&path, Some(Role::Merchant)).await;
        assert_eq!((answer.status, &answer.body["status"]), (404, &json!(404)), "{path}");
    }
}

#[tokio::test]
async fn the_ledger_is_paged_newest_first() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(10, 1).await, Uuid::now_v7());
    let lines = [(product, 3)];
    shop.reserve(id, &lines).await;
    shop.hear(&[authorized(id, &lines, false)]).await;
    shop.hear(&[cancelled(id, &lines)]).await;
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let path = format!("/api/v1/stock/{product}/movements{query}");
        let page = shop.get(&path, Some(Role::Admin)).await;
        assert_eq!(page.status, 200, "{page:?}");
        let kind = |item: &Value| {
            (
                item["kind"].as_str().unwrap().to_owned(),
                item["quantity"].as_i64().unwrap(),
            )
        };
        seen.extend(page.body["items"].as_array().unwrap().iter().map(kind));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        query = format!("?limit=2&cursor={cursor}");
    }
    let expected = [("returned", 3), ("claimed", -3), ("seeded", 10)];
    assert_eq!(seen, expected.map(|(kind, quantity)| (kind.to_owned(), quantity)));
    for query in ["?limit=0", "?limit=101", "?cursor=x", "?page=2"] {
        let path = format!("/api/v1/stock/{product}/movements{query}");
        assert_eq!(shop.get(&path, Some(Role::Admin)).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_lost_database_is_named() {
    let shop = Shop::start().await;
    shop.pool.close().await;
    let read = shop.get(&format!("/api/v1/stock/{}", Uuid::now_v7()), None).await;
    let reserved = shop.reserve(Uuid::now_v7(), &[(Uuid::now_v7(), 1)]).await;
    for answer in [read, reserved] {
        assert_eq!(
            (answer.status, &answer.body["tier"]),
            (503, &json!("postgres/catalog")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn the_description_is_served_and_committed() {
    let (_, document) = shop_inventory::router::public();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    document.compare(&committed).unwrap();
    let shop = Shop::start().await;
    let served = shop.get("/api/v1/stock/openapi.json", None).await;
    let paths: BTreeSet<&String> = served.body["paths"].as_object().unwrap().keys().collect();
    assert_eq!((served.status, paths.len()), (200, 4), "{paths:?}");
}
