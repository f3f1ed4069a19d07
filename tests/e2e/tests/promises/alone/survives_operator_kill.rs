//! The operator is force-deleted at random moments of a shop's bring-up; the shop becomes Ready as if nothing had been.

use rand::RngExt;
use serde_json::json;
use shop_e2e::operator::Operator;
use shop_e2e::stage::alone::with_tiny_shop;
use shop_e2e::writes::Objects;
use shop_e2e::{SOON, Shop, eventually, seed};
use std::time::{Duration, Instant};

/// Moments lie within this much of a bring-up; later kills hit a shop that is almost Ready.
const BRING_UP: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_bring_up_survives_kills_of_the_operator() {
    with_tiny_shop("operator-kill", json!({}), |shop| async move {
        let kills = seed::number("SHOP_E2E_KILLS").unwrap_or(3);
        let mut random = seed::generator("survives_operator_kill");
        let mut moments: Vec<u64> = (0..kills)
            .map(|_| random.random_range(0..BRING_UP.as_millis() as u64))
            .collect();
        moments.sort_unstable();

        let operator = Operator::of(&shop.cluster).await;
        let start = Instant::now();
        shop.create().await;
        for moment in moments {
            tokio::time::sleep_until((start + Duration::from_millis(moment)).into()).await;
            println!("killed after {} ms", start.elapsed().as_millis());
            operator.kill().await;
        }
        operator.settles().await;
        shop.becomes_ready().await;
        nothing_was_made_twice(&shop).await;
        the_secret_outlives_another_kill(&shop, &operator).await;
        let storefront = shop.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;
        eventually(SOON, "the order is confirmed", || customer.was_confirmed(order.id)).await;
    })
    .await;
}

/// A shop needs few changes to come up: an operator that forgets what it did would write objects over and over.
async fn nothing_was_made_twice(shop: &Shop) {
    let objects = Objects::of(shop).await.expect("objects");
    let churned: Vec<_> = objects
        .generations()
        .filter(|(_, generation)| *generation > 3)
        .collect();
    assert!(churned.is_empty(), "changed again and again: {churned:?}");
}

async fn the_secret_outlives_another_kill(shop: &Shop, operator: &Operator) {
    let keys = [
        "postgres-superuser",
        "orders-password",
        "rabbitmq-shop",
        "token-seed",
        "webhook-secret",
    ];
    let mut before = Vec::new();
    for key in keys {
        before.push(shop.secret(key).await.expect("the Secret has its keys"));
    }
    operator.kill().await;
    operator.settles().await;
    shop.becomes_ready().await;
    for (key, value) in keys.iter().zip(before) {
        assert!(
            shop.secret(key).await.expect("still there") == value,
            "{key} was rotated by a restart of the operator"
        );
    }
}
