//! Every route with every role, bad parameters, and the description that says so.

use crate::shop::{Shop, product};
use serde_json::json;
use shop_contract::api::Role;
use shop_recommendation::router::description;
use std::path::Path;
use uuid::Uuid;

/// Route, and who may: everybody, everybody with a token, merchants and admins.
const ROUTES: [(&str, Who); 5] = [
    ("/api/v1/analytics/funnel", Who::Merchants),
    ("/api/v1/analytics/sales", Who::Merchants),
    ("/api/v1/recommendations/best-sellers", Who::Anybody),
    ("/api/v1/recommendations/bought-together/{product_id}", Who::Anybody),
    ("/api/v1/recommendations/for-you", Who::Known),
];

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    Known,
    Merchants,
}

#[tokio::test]
async fn every_route_serves_the_roles_it_names_and_no_other() {
    let shop = Shop::start().await;
    for (route, who) in ROUTES {
        let path = route.replace("{product_id}", &product(1).to_string());
        for role in [None].into_iter().chain(Role::ALL.map(Some)) {
            let (status, body) = shop.get(&path, role.map(|role| (Uuid::now_v7(), role))).await;
            let expected = match (who, role) {
                (Who::Anybody, _) | (Who::Known, Some(_)) => 200,
                (Who::Merchants, Some(Role::Merchant | Role::Admin)) => 200,
                (Who::Merchants, Some(Role::Customer | Role::Support)) => 403,
                (Who::Known | Who::Merchants, None) => 401,
            };
            assert_eq!(status, expected, "{path} as {role:?}: {body}");
        }
    }
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let shop = Shop::start().await;
    let caller = Some((Uuid::now_v7(), Role::Customer));
    for query in ["limit=0", "limit=51", "limit=-1", "limit=x", "limit=", "cursor=x"] {
        for (route, _) in &ROUTES[2..] {
            let path = route.replace("{product_id}", &product(1).to_string());
            let (status, body) = shop.get(&format!("{path}?{query}"), caller).await;
            assert_eq!((status, &body["status"]), (400, &json!(400)), "{path}?{query}: {body}");
        }
    }
    for path in [
        "bought-together/seven",
        "bought-together/%00",
        "bought-together/",
        "else",
    ] {
        assert_eq!(
            shop.get(&format!("/api/v1/recommendations/{path}"), caller).await.0,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_is_committed() {
    let document = description();
    let mut described: Vec<_> = document
        .operations()
        .iter()
        .map(|operation| (operation.path.as_str(), operation.secured))
        .collect();
    described.sort_unstable();
    assert_eq!(described, ROUTES.map(|(route, who)| (route, who != Who::Anybody)));
    let shop = Shop::start().await;
    let (status, served) = shop.get("/api/v1/recommendations/openapi.json", None).await;
    assert_eq!((status, &served["openapi"]), (200, &json!("3.1.0")));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    document.compare(&committed).unwrap();
}
