//! A description is completed from the shape of its operations, served, and compared with a committed copy.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.
#![allow(dead_code)] // The handlers are described, not called.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use shop_kit_http::openapi::{Document, document};
use tower::ServiceExt;
use utoipa::OpenApi;

/// List baskets.
#[utoipa::path(get, path = "/baskets", operation_id = "list", params(("limit" = i64, Query)), responses((status = 200)))]
fn list() {}

/// Make a basket.
#[utoipa::path(
    post, path = "/baskets", operation_id = "make", request_body = String, security(("bearer" = [])),
    params(("idempotency-key" = Option<String>, Header)),
    responses((status = 201), (status = 409, description = "There are too many"))
)]
fn make() {}

/// Show a basket.
#[utoipa::path(get, path = "/baskets/{id}", operation_id = "show", params(("id" = u32, Path)), responses((status = 200)))]
fn show() {}

/// Show a basket, in other words.
#[utoipa::path(put, path = "/baskets/{id}", operation_id = "show", params(("id" = u32, Path)), responses((status = 200)))]
fn show_again() {}

#[derive(OpenApi)]
#[openapi(paths(list, make, show))]
struct Right;

#[derive(OpenApi)]
#[openapi(paths(show, show_again))]
struct Twice;

fn toy() -> Document {
    document("toy", Right::openapi())
}

fn statuses(document: &Value, path: &str, method: &str) -> Vec<String> {
    let responses = document["paths"][path][method]["responses"].as_object().unwrap();
    responses.keys().cloned().collect()
}

#[test]
fn every_operation_tells_the_problems_its_shape_allows() {
    let json: Value = serde_json::from_str(toy().json()).unwrap();
    assert_eq!(
        (&json["openapi"], &json["info"]["title"]),
        (&"3.1.0".into(), &"shop: toy".into())
    );
    let always = ["200", "400", "431", "500", "502", "503", "504"];
    assert_eq!(statuses(&json, "/baskets", "get"), always);
    let all = [
        "201", "400", "401", "403", "409", "413", "415", "422", "431", "500", "502", "503", "504",
    ];
    assert_eq!(statuses(&json, "/baskets", "post"), all);
    assert_eq!(
        statuses(&json, "/baskets/{id}", "get"),
        ["200", "400", "404", "431", "500", "502", "503", "504"]
    );
    let conflict = &json["paths"]["/baskets"]["post"]["responses"]["409"];
    assert_eq!(conflict["description"], "There are too many");
    let schema = &conflict["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/Problem");
    let components = &json["components"];
    assert!(components["schemas"]["Problem"].is_object() && components["schemas"]["FieldError"].is_object());
    assert_eq!(components["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn the_idempotency_key_has_the_same_rules_everywhere() {
    let json: Value = serde_json::from_str(toy().json()).unwrap();
    let key = &json["paths"]["/baskets"]["post"]["parameters"][0];
    assert_eq!(
        (&key["name"], &key["required"]),
        (&"idempotency-key".into(), &false.into())
    );
    let rules = serde_json::json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
    assert_eq!(key["schema"], rules);
}

#[test]
fn operations_are_listed_for_tests_of_every_route() {
    let document = toy();
    let listed: Vec<_> = document
        .operations()
        .iter()
        .map(|operation| (operation.method, operation.path.as_str(), operation.secured))
        .collect();
    assert_eq!(
        listed,
        [
            ("GET", "/baskets", false),
            ("POST", "/baskets", true),
            ("GET", "/baskets/{id}", false)
        ]
    );
}

#[tokio::test]
async fn it_is_served_below_the_first_route() {
    let router = toy().routes::<()>("/baskets").with_state(());
    let request = Request::builder().uri("/baskets/openapi.json").body(Body::empty());
    let answer = router.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    assert_eq!(body, toy().json().as_bytes());
}

#[test]
fn a_copy_that_differs_and_an_id_that_comes_twice_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, toy().json()).unwrap();
    toy().compare(&path).unwrap();
    std::fs::write(&path, toy().json().replace("List baskets", "List boxes")).unwrap();
    assert!(
        toy()
            .compare(&path)
            .unwrap_err()
            .contains("differs from the code from line")
    );
    let twice = document("toy", Twice::openapi());
    assert!(twice.compare(&path).unwrap_err().contains("operation_id"));
}
