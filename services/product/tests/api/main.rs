//! What customers and merchants see of the catalogue, with real Postgres, Redis and RabbitMQ.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod cache;
mod catalogue;
mod events;
mod facets;
mod merchant;
mod price;
mod roles;
mod search;

use catalogue::Catalogue;
use serde_json::json;
use shop_contract::probe::SYNTHETIC_PRODUCT;

#[tokio::test]
async fn the_synthetic_product_is_found_by_id_only() {
    let shop = Catalogue::uncached().await;
    let (status, product) = shop.get(&format!("/api/v1/products/{SYNTHETIC_PRODUCT}")).await;
    assert_eq!((status, &product["price_cents"]), (200, &json!(100)));
    let (_, page) = shop.get("/api/v1/products").await;
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn unknown_products_are_not_found() {
    let shop = Catalogue::uncached().await;
    let unknown = format!("/api/v1/products/{}", uuid::Uuid::now_v7());
    for path in [
        "/api/v1/products/seven",
        &unknown,
        "/api/v1/products/",
        "/api/v1/products/%00",
    ] {
        let (got, body) = shop.get(path).await;
        assert_eq!((got, &body["status"]), (404, &json!(404)), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_lost_database_is_named() {
    let shop = Catalogue::uncached().await;
    shop.pool.close().await;
    let (status, body) = shop.get("/api/v1/products").await;
    assert_eq!((status, &body["tier"]), (503, &json!("postgres/catalog")), "{body}");
}
