//! Who may read the books, and that their description is the committed one.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::Value;
use shop::{Shop, TOTAL};
use shop_books::check::Limits;
use shop_books::job::judge::judge_orders;
use shop_books::router::{AppState, description, router};
use shop_contract::api::Role;
use shop_kit_token::{Claims, Signer};
use std::path::Path;
use tower::ServiceExt;
use uuid::Uuid;

/// 32 times the byte 1, in base64.
const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn bearer(role: Role) -> String {
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    let claims = Claims::new(Uuid::now_v7(), false, now).with_role(role);
    format!("Bearer {}", Signer::from_seed(SEED).unwrap().sign(&claims))
}

async fn get(app: &Router, path: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, token);
    }
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn app(shop: &Shop) -> Router {
    router(AppState {
        payments: shop.payments.clone(),
        verifier: Signer::from_seed(SEED).unwrap().verifier(),
    })
}

#[tokio::test]
async fn every_route_serves_support_and_admin_only() {
    let shop = Shop::start().await;
    let app = app(&shop);
    for operation in description().operations() {
        for role in Role::ALL {
            let (status, body) = get(&app, &operation.path, Some(&bearer(role))).await;
            let expected = if matches!(role, Role::Support | Role::Admin) {
                200
            } else {
                403
            };
            assert_eq!(status, expected, "{operation:?} as {role:?}: {body}");
        }
        assert_eq!(get(&app, &operation.path, None).await.0, 401);
        assert_eq!(
            get(&app, &operation.path, Some("Bearer eyJhbGciOiJub25lIn0.e30."))
                .await
                .0,
            401
        );
    }
    for query in ["limit=0", "limit=101", "cursor=x", "page=1"] {
        let path = format!("/api/v1/books/audit?{query}");
        assert_eq!(get(&app, &path, Some(&bearer(Role::Admin))).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn findings_and_repairs_can_be_read() {
    let shop = Shop::start().await;
    let app = app(&shop);
    let order = shop.order(0, "placed").await;
    shop.pay(order, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
        .await;
    shop.reserve(order.id, "claimed").await;
    judge_orders(&shop.sources, &[order.id], &Limits::default())
        .await
        .unwrap();
    let (_, books) = get(&app, "/api/v1/books", Some(&bearer(Role::Support))).await;
    assert_eq!(books["findings"][0]["invariant"], "order_settled", "{books}");
    assert_eq!(books["findings"][0]["lasting"], false);
    assert_eq!(books["invariants"].as_array().unwrap().len(), 11);
    for _ in 0..3 {
        let ago =
            "update books_findings set first_seen = now() - interval '1 day', repair_at = now() - interval '1 day'";
        shop.payments(ago.to_owned()).await;
        judge_orders(&shop.sources, &[order.id], &Limits::default())
            .await
            .unwrap();
    }
    let (_, first) = get(&app, "/api/v1/books/audit?limit=2", Some(&bearer(Role::Support))).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2, "{first}");
    let next = format!(
        "/api/v1/books/audit?limit=2&cursor={}",
        first["next_cursor"].as_str().unwrap()
    );
    let (_, last) = get(&app, &next, Some(&bearer(Role::Support))).await;
    assert_eq!(
        (last["items"].as_array().unwrap().len(), &last["next_cursor"]),
        (1, &Value::Null)
    );
}

#[test]
fn the_committed_description_is_the_code_s() {
    description()
        .compare(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json")))
        .unwrap();
}
