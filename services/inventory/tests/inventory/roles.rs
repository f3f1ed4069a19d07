//! Every public route with every role, with nobody and with a bad token.

use crate::shop::{Shop, bearer};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use shop_contract::api::Role;
use shop_contract::api::Role::{Admin, Customer, Merchant, Support};
use shop_inventory::router::public;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Method, path, and who is served. Everybody else is forbidden; `anybody` also without a token.
const ROUTES: [(&str, &str, &[Role], bool); 4] = [
    (
        "GET",
        "/api/v1/stock/{product_id}",
        &[Customer, Merchant, Support, Admin],
        true,
    ),
    ("GET", "/api/v1/stock/{product_id}/movements", &[Merchant, Admin], false),
    ("POST", "/api/v1/stock/{product_id}/restocks", &[Merchant, Admin], false),
    (
        "POST",
        "/api/v1/stock/{product_id}/adjustments",
        &[Merchant, Admin],
        false,
    ),
];

async fn call(shop: &Shop, method: &str, path: &str, product: Uuid, authorization: Option<String>) -> u16 {
    let body = match path {
        path if path.ends_with("restocks") => json!({"quantity": 1}).to_string(),
        path if path.ends_with("adjustments") => json!({"quantity": 1, "reason": "counted"}).to_string(),
        _ => String::new(),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path.replace("{product_id}", &product.to_string()))
        .header("content-type", "application/json")
        .header("idempotency-key", Uuid::now_v7().to_string());
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    shop.send(request.body(Body::from(body)).unwrap()).await.status
}

#[tokio::test]
async fn every_route_serves_its_roles_only() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    for (method, path, served, anybody) in ROUTES {
        let good = if method == "GET" { 200 } else { 201 };
        for role in Role::ALL {
            let status = call(&shop, method, path, product, Some(bearer(role))).await;
            let expected = if served.contains(&role) { good } else { 403 };
            assert_eq!(status, expected, "{method} {path} as {role:?}");
        }
        let expected = if anybody { good } else { 401 };
        assert_eq!(
            call(&shop, method, path, product, None).await,
            expected,
            "{method} {path}"
        );
        for bad in ["Bearer x", "Basic eDp4", "Bearer eyJhbGciOiJub25lIn0.e30."] {
            let status = call(&shop, method, path, product, Some(bad.to_owned())).await;
            assert_eq!(status, 401, "{method} {path} with {bad}");
        }
    }
}

#[test]
fn no_route_is_missing_here() {
    let (_, document) = public();
    let described: BTreeSet<(String, String)> = document
        .operations()
        .iter()
        .map(|operation| (operation.method.to_owned(), operation.path.clone()))
        .collect();
    let here = ROUTES
        .iter()
        .map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(described, here.collect());
}
