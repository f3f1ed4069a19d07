//! The connection breaks while an order is being written: nobody is told that it failed when it did not.

use crate::shop::line;
use crate::shop::{Shop, eventually, face, place};
use crate::stage::KETTLE;
use crate::wire::{Break, Wire};
use axum::Router;
use serde_json::json;

/// Only the statement that writes the order holds this; a key's fingerprint hides it.
const WORDS: &str = "order.placed";
const HEADERS: [(&str, &str); 1] = [("idempotency-key", "k")];

async fn wired(shop: &Shop, wire: &Wire) -> Router {
    let pools = wire.open(&shop.two.settings, 0).await;
    face(shop.state(pools, &shop.stage.url, &shop.stage.url))
}

async fn orders(shop: &Shop) -> i64 {
    shop.count(0, "select count(*) from orders").await
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_found_again() {
    let shop = Shop::start().await;
    let app = wired(&shop, &Wire::breaks_at(WORDS, Break::After)).await;
    let placed = place(&app, shop.two.user_in(0), &HEADERS, json!([line(KETTLE, 1)])).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    assert_eq!(orders(&shop).await, 1);
    assert!(shop.stage.acts().held.contains_key(&placed.id()));
    assert!(shop.stage.acts().released.is_empty());
}

#[tokio::test]
async fn an_order_that_never_arrived_leaves_nothing() {
    let shop = Shop::start().await;
    let app = wired(&shop, &Wire::breaks_at(WORDS, Break::Before)).await;
    let user = shop.two.user_in(0);
    let failed = place(&app, user, &HEADERS, json!([line(KETTLE, 1)])).await;
    assert_eq!(
        (failed.status, &failed.body["tier"]),
        (503, &json!("postgres/orders/0")),
        "{failed:?}"
    );
    assert_eq!(orders(&shop).await, 0);
    let released = eventually(async || {
        if shop.stage.acts().held.is_empty() {
            Ok(())
        } else {
            Err(())
        }
    });
    released.await.expect("its stock is let go");
    assert_eq!(place(&app, user, &HEADERS, json!([line(KETTLE, 1)])).await.status, 201);
}

/// The statement was on its way when its key was given back: it must not take effect afterwards.
#[tokio::test]
async fn an_order_that_arrives_too_late_is_not_written() {
    let shop = Shop::start().await;
    let wire = Wire::breaks_at(WORDS, Break::Delayed);
    let app = wired(&shop, &wire).await;
    let user = shop.two.user_in(0);
    let failed = place(&app, user, &HEADERS, json!([line(KETTLE, 1)])).await;
    assert_eq!(failed.status, 503, "{failed:?}");
    wire.let_arrive().await;
    assert_eq!(orders(&shop).await, 0);
    let placed = place(&app, user, &HEADERS, json!([line(KETTLE, 1)])).await;
    assert_eq!(placed.status, 201);
    assert_eq!(orders(&shop).await, 1);
}

#[tokio::test]
async fn what_cannot_be_known_is_said_and_its_stock_stays() {
    let shop = Shop::start().await;
    for (headers, way_out) in [(HEADERS.as_slice(), "with the same key"), (&[], "look at your orders")] {
        let app = wired(&shop, &Wire::breaks_at(WORDS, Break::After).for_good()).await;
        let user = shop.two.user_in(0);
        let answer = place(&app, user, headers, json!([line(KETTLE, 1)])).await;
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(detail.contains("not known") && detail.contains(way_out), "{detail}");
        let page = shop.get(user, "/api/v1/orders").await;
        let order = page.body["items"][0]["id"].as_str().expect("it was written").to_owned();
        assert!(shop.stage.acts().held.contains_key(&order.parse().unwrap()));
        if !headers.is_empty() {
            let again = place(&shop.app, user, headers, json!([line(KETTLE, 1)])).await;
            assert_eq!((again.status, again.id().to_string()), (201, order));
        }
    }
    assert!(shop.stage.acts().released.is_empty());
}
