//! Every route with every role, and the description that says so.

use crate::catalogue::Catalogue;
use serde_json::json;
use shop_contract::api::Role;
use shop_product::router::description;
use std::path::Path;
use uuid::Uuid;

/// Method and route, and whether only merchants and admins may.
const ROUTES: [(&str, &str, bool); 9] = [
    ("GET", "/api/v1/products", false),
    ("POST", "/api/v1/products", true),
    ("GET", "/api/v1/products/{id}", false),
    ("PATCH", "/api/v1/products/{id}", true),
    ("DELETE", "/api/v1/products/{id}", true),
    ("PUT", "/api/v1/products/{id}/price", true),
    ("POST", "/api/v1/products/{id}/images", true),
    ("GET", "/api/v1/categories", false),
    ("PUT", "/api/v1/categories/{slug}", true),
];

#[tokio::test]
async fn every_route_serves_the_roles_it_names_and_no_other() {
    let shop = Catalogue::uncached().await;
    let id = shop.create(json!({})).await;
    for (method, route, guarded) in ROUTES {
        let path = route.replace("{id}", &id.to_string()).replace("{slug}", "pots");
        let roles = [None].into_iter().chain(Role::ALL.map(Some));
        for role in roles {
            // A body nobody accepts: whoever gets as far as 422 was let in.
            let body = (method != "GET" && method != "DELETE").then(|| json!({"strange": true}));
            // The product would be gone for the next role.
            let path = match method {
                "DELETE" => path.replace(&id.to_string(), &Uuid::now_v7().to_string()),
                _ => path.clone(),
            };
            let status = shop.ask(method, &path, role, body, &[]).await.status;
            let expected = match (guarded, role) {
                (true, None) => 401,
                (true, Some(Role::Customer | Role::Support)) => 403,
                (true, Some(Role::Merchant | Role::Admin)) if method == "DELETE" => 404,
                (true, Some(Role::Merchant | Role::Admin)) => 422,
                (false, _) => 200,
            };
            assert_eq!(status, expected, "{method} {path} as {role:?}");
        }
    }
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_refused() {
    let shop = Catalogue::uncached().await;
    for token in [
        "Bearer x.y.z",
        "Basic abc",
        "Bearer ",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ] {
        let answer = shop
            .ask(
                "POST",
                "/api/v1/products",
                None,
                Some(json!({})),
                &[("authorization", token)],
            )
            .await;
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_is_committed() {
    let document = description();
    let mut described: Vec<_> = document
        .operations()
        .iter()
        .map(|operation| (operation.method, operation.path.as_str(), operation.secured))
        .collect();
    let mut routes = ROUTES.to_vec();
    described.sort_unstable();
    routes.sort_unstable();
    assert_eq!(described, routes);
    let shop = Catalogue::uncached().await;
    let (status, served) = shop.get("/api/v1/products/openapi.json").await;
    assert_eq!((status, &served["openapi"]), (200, &json!("3.1.0")));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    document.compare(&committed).unwrap();
}
