//! A checkout and inventory: whatever inventory does, an order is placed with its stock or not at all.

use crate::shop::{Shop, bearer, call, eventually, face, line, of, place, post};
use crate::stage::{KETTLE, LAMP, Mood, behind_a_door};
use crate::wire::Wire;
use serde_json::json;
use shop_contract::api::Role;
use shop_order::neighbour::Neighbour;
use shop_order::stock::Stock;
use std::time::Duration;

#[tokio::test]
async fn what_is_out_of_stock_is_named_and_nothing_is_written() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    shop.stage.acts().sold_out = Some(LAMP);
    let headers = [("idempotency-key", "k")];
    let short = place(&shop.app, user, &headers, json!([line(KETTLE, 1), line(LAMP, 1)])).await;
    assert_eq!((short.status, short.kind()), (409, "out-of-stock"), "{short:?}");
    assert_eq!(short.pointers(), ["/lines/1/quantity"]);
    for table in [
        "select count(*) from orders",
        "select count(*) from outbox",
        "select count(*) from order_idempotency",
    ] {
        assert_eq!(shop.count(0, table).await, 0, "{table}");
    }
    shop.stage.acts().sold_out = None;
    let placed = place(&shop.app, user, &headers, json!([line(KETTLE, 1), line(LAMP, 1)])).await;
    assert_eq!(placed.status, 201, "the key is free again: {placed:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_once_more_for_the_same_order() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let (door, heard) = behind_a_door(&shop.stage, 1).await;
    let app = face(shop.state(shop.pools.clone(), &shop.stage.url, &door));
    let placed = place(&app, user, &[], json!([line(KETTLE, 1)])).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    let heard = heard.lock().unwrap().join("\n");
    assert!(heard.contains(&placed.id().to_string()), "{heard}");
    assert_eq!(shop.stage.acts().asked, [placed.id()]);

    let (door, _) = behind_a_door(&shop.stage, 2).await;
    let app = face(shop.state(shop.pools.clone(), &shop.stage.url, &door));
    let failed = place(&app, user, &[], json!([line(KETTLE, 1)])).await;
    assert_eq!(
        (failed.status, &failed.body["tier"]),
        (503, &json!("service/inventory")),
        "{failed:?}"
    );
    assert_eq!(shop.count(0, "select count(*) from orders").await, 1);
}

#[tokio::test]
async fn inventory_that_answers_after_the_deadline_is_told_to_let_go() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let mut state = shop.state(shop.pools.clone(), &shop.stage.url, &shop.stage.url);
    let hasty = Neighbour::new(
        reqwest::Client::new(),
        "service/inventory",
        &shop.stage.url,
        Duration::from_millis(300),
    );
    state.stock = Stock::new(hasty);
    let app = face(state);
    shop.stage.inventory(Mood::Late);
    let headers = [("idempotency-key", "k")];
    let late = place(&app, user, &headers, json!([line(KETTLE, 1)])).await;
    assert_eq!(
        (late.status, &late.body["tier"]),
        (503, &json!("service/inventory")),
        "{late:?}"
    );
    assert!(late.body["detail"].as_str().unwrap().contains("in time"), "{late:?}");
    let asked = shop.stage.acts().asked.clone();
    let released = eventually(async || {
        if shop.stage.acts().released == asked {
            Ok(())
        } else {
            Err(())
        }
    });
    released.await.expect("the reservation is released");
    assert_eq!(shop.count(0, "select count(*) from orders").await, 0);
    // It takes effect now: inventory holds stock for an order that never was, until that expires. The next attempt is
    // another order and is not hindered.
    shop.stage.inventory(Mood::Open);
    let placed = place(&shop.app, user, &headers, json!([line(KETTLE, 1)])).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    assert_ne!(asked, [placed.id()]);
    let held = eventually(async || {
        if shop.stage.acts().held.len() == 2 {
            Ok(())
        } else {
            Err(())
        }
    });
    held.await.expect("the late reservation took effect");
}

/// What a checkout costs at the database; a new round trip has to be wanted.
#[tokio::test]
async fn a_checkout_is_two_round_trips() {
    let shop = Shop::start().await;
    let (wire, user) = (Wire::whole(), shop.two.user_in(0));
    let app = face(shop.state(wire.open(&shop.two.settings, 0).await, &shop.stage.url, &shop.stage.url));
    let token = bearer(user, Role::Customer);
    let (lines, cart) = (
        of(json!([line(KETTLE, 1), line(LAMP, 1)])),
        json!({"payment_token": "tok_ok"}),
    );
    let line = format!("/api/v1/cart/lines/{KETTLE}");
    for (number, (key, body, expected)) in [
        (None, &lines, 1),
        (Some("a"), &lines, 2),
        (Some("b"), &cart, 3),
        (None, &cart, 2),
    ]
    .iter()
    .enumerate()
    {
        let put = call(&shop.app, "PUT", &line, &token, &[], Some(&json!({"quantity": 1}))).await;
        assert_eq!(put.status, 200);
        let headers: Vec<(&str, &str)> = key.iter().map(|key| ("idempotency-key", *key)).collect();
        let before = wire.statements();
        let placed = post(&app, &token, &headers, body).await;
        assert_eq!(
            (placed.status, wire.statements() - before),
            (201, *expected),
            "{number}: {placed:?}"
        );
    }
}

/// A client that hangs up does not cut a checkout in the middle.
#[tokio::test]
async fn a_client_that_hangs_up_has_its_order_all_the_same() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    shop.stage.inventory(Mood::Late);
    let headers = [("idempotency-key", "k")];
    let asked = {
        let mut request = std::pin::pin!(place(&shop.app, user, &headers, json!([line(KETTLE, 1)])));
        eventually(async || {
            tokio::select! {
                answer = &mut request => panic!("{answer:?}"),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
            shop.stage.acts().asked.first().copied().ok_or(())
        })
        .await
        .unwrap()
    };
    shop.stage.inventory(Mood::Open);
    shop.until(user, asked, "placed").await;
    let again = place(&shop.app, user, &headers, json!([line(KETTLE, 1)])).await;
    assert_eq!((again.status, again.id()), (201, asked));
}
