//! Idempotency keys at checkout: played back, refused for another body, running, taken over.

use crate::shop::{Shop, bearer, eventually, line, of, place, post};
use crate::stage::{KETTLE, Mood};
use serde_json::{Value, json};
use shop_contract::api::Role;

const HEADERS: [(&str, &str); 1] = [("idempotency-key", "k-7")];

fn kettle() -> Value {
    json!([line(KETTLE, 1)])
}

#[tokio::test]
async fn a_key_places_one_order_however_often_it_comes() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let asked = (0..5).map(|_| place(&shop.app, user, &HEADERS, kettle()));
    let answers = futures::future::join_all(asked).await;
    let placed = answers
        .iter()
        .find(|answer| answer.status == 201)
        .expect("one is placed");
    for answer in &answers {
        let running = answer.status == 409 && answer.kind() == "idempotency-key-in-use";
        assert!(
            running || (answer.status == 201 && answer.body == placed.body),
            "{answer:?}"
        );
    }
    shop.stage.acts().prices.clear();
    let again = place(&shop.app, user, &HEADERS, kettle()).await;
    assert_eq!((again.status, &again.body), (201, &placed.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["location"], placed.headers["location"]);
    assert_eq!(again.headers["content-type"], placed.headers["content-type"]);
    let rows = (
        shop.count(1, "select count(*) from orders").await,
        shop.count(1, "select count(*) from outbox").await,
        shop.count(1, "select count(*) from order_lines").await,
    );
    assert_eq!(rows, (1, 1, 1));
    assert_eq!(shop.stage.acts().held.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_body_and_one_customer() {
    let shop = Shop::start().await;
    let (user, neighbour) = (shop.two.user_in(1), shop.two.user_in(1));
    let token = bearer(user, Role::Customer);
    let first = place(&shop.app, user, &HEADERS, kettle()).await;
    assert_eq!(first.status, 201);
    for other in [
        of(json!([line(KETTLE, 2)])),
        json!({"lines": kettle(), "payment_token": "tok_other"}),
        json!({"payment_token": "tok_ok"}),
    ] {
        let answer = post(&shop.app, &token, &HEADERS, &other).await;
        assert_eq!(
            (answer.status, answer.kind()),
            (422, "idempotency-key-reused"),
            "{other}"
        );
    }
    let spelled = json!({"payment_token": "tok_ok", "lines": [{"quantity": 1, "product_id": KETTLE}]});
    assert_eq!(post(&shop.app, &token, &HEADERS, &spelled).await.id(), first.id());
    let theirs = place(&shop.app, neighbour, &HEADERS, kettle()).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.id(), first.id());
}

/// Without a key every request is an order of its own.
#[tokio::test]
async fn without_a_key_two_requests_are_two_orders() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    assert_ne!(shop.order(user).await, shop.order(user).await);
    assert_eq!(shop.count(0, "select count(*) from order_idempotency").await, 0);
}

#[tokio::test]
async fn a_request_that_runs_keeps_others_away_until_a_minute_has_passed() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    shop.stage.inventory(Mood::Late);
    let app = shop.app.clone();
    let stuck = tokio::spawn(async move { place(&app, user, &HEADERS, kettle()).await });
    let first = eventually(async || shop.stage.acts().asked.first().copied().ok_or(()))
        .await
        .unwrap();
    let other = place(&shop.app, user, &HEADERS, kettle()).await;
    assert_eq!((other.status, other.kind()), (409, "idempotency-key-in-use"));

    let aged = "update order_idempotency set created_at = now() - interval '61 seconds'";
    assert_eq!(shop.run(0, aged).await, 1);
    let app = shop.app.clone();
    let second = tokio::spawn(async move { place(&app, user, &HEADERS, kettle()).await });
    let taken = eventually(async || {
        if shop.stage.acts().asked.len() == 2 {
            Ok(())
        } else {
            Err(())
        }
    });
    taken.await.expect("the second request takes the key over");
    shop.stage.inventory(Mood::Open);
    let (stuck, second) = (stuck.await.unwrap(), second.await.unwrap());
    assert_eq!(
        (stuck.status, stuck.kind()),
        (409, "idempotency-key-in-use"),
        "{stuck:?}"
    );
    assert_eq!(second.status, 201, "{second:?}");
    assert_ne!(second.id(), first);
    assert_eq!(shop.count(0, "select count(*) from orders").await, 1);
    let held = eventually(async || {
        let held: Vec<_> = shop.stage.acts().held.keys().copied().collect();
        if held == [second.id()] { Ok(()) } else { Err(held) }
    });
    held.await.expect("only the placed order's stock stays held");
}
