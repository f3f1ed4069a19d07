//! Every route × every role, and what each may see. The routes come from the description itself, so that a new one
//! without a row here fails.

use crate::events::Order;
use crate::shop::{Shop, bearer};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_payment::router::description;
use std::collections::BTreeSet;
use std::path::Path;
use uuid::Uuid;

/// Method, path, and the status for nobody, then for each of [`Role::ALL`], on somebody else's payment.
const TABLE: [(&str, &str, u16, [u16; 4]); 4] = [
    ("GET", "/api/v1/payments", 401, [200, 200, 200, 200]),
    ("GET", "/api/v1/payments/{id}", 401, [404, 404, 200, 200]),
    ("POST", "/api/v1/payments/{id}/refunds", 401, [403, 403, 201, 201]),
    // The signature decides; a token makes no difference.
    ("POST", "/api/v1/payments/webhooks", 401, [401, 401, 401, 401]),
];

async fn captured(shop: &Shop, order: Order) -> Uuid {
    let worker = shop.worker();
    worker.tell(&[order.placed(), order.claimed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    shop.payment_of(order.id).await
}

#[test]
fn the_committed_description_is_the_codes() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"));
    description().compare(path).unwrap();
}

#[tokio::test]
async fn every_route_serves_the_roles_it_names() {
    let shop = Shop::start().await;
    let payment = captured(&shop, Order::new("tok_ok")).await;
    let rows: BTreeSet<(&str, &str)> = TABLE.iter().map(|row| (row.0, row.1)).collect();
    let document = description();
    let described: BTreeSet<(&str, &str)> = document
        .operations()
        .iter()
        .map(|operation| (operation.method, operation.path.as_str()))
        .collect();
    assert_eq!(rows, described);
    for (method, template, nobody, by_role) in TABLE {
        let path = template.replace("{id}", &payment.to_string());
        let ask = |bearer: Option<String>, key: &'static str| {
            let (shop, path) = (&shop, path.clone());
            async move {
                let mut headers = vec![("content-type", "application/json"), ("idempotency-key", key)];
                headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
                match method {
                    "GET" => shop.get(bearer.as_deref().unwrap_or_default(), &path).await.status,
                    _ => {
                        shop.post(&headers, &path, json!({"amount_cents": 1}).to_string().as_bytes())
                            .await
                            .status
                    }
                }
            }
        };
        assert_eq!(ask(None, "nobody").await, nobody, "{method} {template} by nobody");
        for (role, wanted) in Role::ALL.into_iter().zip(by_role) {
            let status = ask(Some(bearer(Uuid::now_v7(), role)), "key").await;
            assert_eq!(status, wanted, "{method} {template} by {role:?}");
        }
    }
    let answer = shop.get("", "/api/v1/payments/openapi.json").await;
    assert_eq!((answer.status, &answer.body["openapi"]), (200, &json!("3.1.0")));
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["order_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn customers_see_their_own_and_support_sees_all() {
    let shop = Shop::start().await;
    let (mine, theirs) = (Order::new("tok_ok"), Order::new("tok_ok"));
    let payment = captured(&shop, mine).await;
    captured(&shop, theirs).await;
    let unseen = Order::of(mine.user);
    let worker = shop.worker();
    worker.tell(&[unseen.cancelled()]).await;
    worker.stop().await;

    let me = bearer(mine.user, Role::Customer);
    let page = shop.get(&me, "/api/v1/payments").await;
    assert_eq!(ids(&page.body), [mine.id.to_string()], "{page:?}");
    let own = shop.get(&me, &format!("/api/v1/payments/{payment}")).await;
    assert_eq!((own.status, &own.body), (200, &page.body["items"][0]));
    assert!(!own.body.to_string().contains("tok_"), "the token is shown: {own:?}");
    for (order, count) in [(mine.id, 1), (theirs.id, 0), (unseen.id, 0), (Uuid::now_v7(), 0)] {
        let page = shop.get(&me, &format!("/api/v1/payments?order_id={order}")).await;
        assert_eq!((page.status, ids(&page.body).len()), (200, count), "{order}");
    }
    let support = bearer(Uuid::now_v7(), Role::Support);
    let all = shop.get(&support, "/api/v1/payments?limit=1").await;
    let next = all.body["next_cursor"].as_str().unwrap().to_owned();
    let rest = shop
        .get(&support, &format!("/api/v1/payments?limit=1&cursor={next}"))
        .await;
    let seen = [ids(&all.body), ids(&rest.body)].concat();
    assert_eq!(
        (seen, &rest.body["next_cursor"]),
        (vec![theirs.id.to_string(), mine.id.to_string()], &Value::Null)
    );
    for query in ["limit=0", "limit=101", "cursor=x", "order_id=seven", "page=1"] {
        assert_eq!(
            shop.get(&me, &format!("/api/v1/payments?{query}")).await.status,
            400,
            "{query}"
        );
    }
    assert_eq!(shop.get(&me, "/api/v1/payments/seven").await.status, 404);
}

#[tokio::test]
async fn a_lost_database_is_named() {
    let shop = Shop::start().await;
    shop.pool.close().await;
    let answer = shop
        .get(&bearer(Uuid::now_v7(), Role::Customer), "/api/v1/payments")
        .await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/payments")),
        "{answer:?}"
    );
}
