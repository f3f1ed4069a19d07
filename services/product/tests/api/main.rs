//! What a customer sees of the catalogue, with real Postgres and Redis.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod cache;
mod catalogue;

use catalogue::Catalogue;
use serde_json::json;
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_product::job::seed::seed;
use std::collections::BTreeSet;

#[tokio::test]
async fn pages_hold_every_listed_product_once() {
    let shop = Catalogue::uncached().await;
    assert_eq!(seed(&shop.pool, 25).await.unwrap(), 25);
    assert_eq!(seed(&shop.pool, 30).await.unwrap(), 5);
    let (mut seen, mut path) = (Vec::new(), "/api/v1/products?limit=7".to_owned());
    loop {
        let (status, page) = shop.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/products?limit=7&cursor={cursor}");
    }
    let different: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), different.len()), (30, 30));
    assert!(!seen.contains(&SYNTHETIC_PRODUCT.to_string()));
}

#[tokio::test]
async fn the_synthetic_product_is_found_by_id_only() {
    let shop = Catalogue::uncached().await;
    let (status, product) = shop.get(&format!("/api/v1/products/{SYNTHETIC_PRODUCT}")).await;
    assert_eq!((status, &product["price_cents"]), (200, &json!(100)));
    let (_, page) = shop.get("/api/v1/products").await;
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn bad_queries_are_refused_and_unknown_products_not_found() {
    let shop = Catalogue::uncached().await;
    let unknown = format!("/api/v1/products/{}", uuid::Uuid::now_v7());
    for (path, status) in [
        ("/api/v1/products?limit=0", 400),
        ("/api/v1/products?limit=101", 400),
        ("/api/v1/products?limit=many", 400),
        ("/api/v1/products?cursor=there", 400),
        ("/api/v1/products?offset=3", 400),
        ("/api/v1/products/seven", 404),
        (unknown.as_str(), 404),
        ("/api/v1/products/", 404),
    ] {
        let (got, body) = shop.get(path).await;
        assert_eq!((got, &body["status"]), (status, &json!(status)), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_lost_database_is_named() {
    let shop = Catalogue::uncached().await;
    shop.pool.close().await;
    let (status, body) = shop.get("/api/v1/products").await;
    assert_eq!((status, &body["tier"]), (503, &json!("postgres/catalog")), "{body}");
}
