//! What each token of the test provider leads to, from the order to the ledger.

use crate::events::{CENTS, Order};
use crate::shop::{Shop, impatient};
use shop_payment::job::ask::AskSettings;
use std::time::Duration;

/// How often the provider was asked for each operation.
async fn asked(shop: &Shop, order: &Order) -> Vec<(String, i32)> {
    let ledger = shop.ledger().await;
    let own = ledger
        .into_iter()
        .filter(|entry| entry.order_id == order.id && entry.happened);
    own.map(|entry| (entry.operation, entry.attempts)).collect()
}

fn twice(attempts: i32) -> Vec<(String, i32)> {
    [("authorise", attempts), ("capture", attempts)]
        .map(|(name, times)| (name.to_owned(), times))
        .to_vec()
}

/// Authorised, claimed, captured; the answers to the shop are the same whatever it took.
async fn pays(token: &'static str, settings: AskSettings) -> (Shop, Order) {
    let (shop, order) = (Shop::start().await, Order::new(token));
    let worker = shop.worker_with(shop.provider(), settings);
    worker.tell(&[order.placed()]).await;
    shop.until(order.id, "authorized").await;
    worker.tell(&[order.claimed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    let told = shop.told(order.id).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["payment.authorized", "payment.captured"]);
    for (_, event) in &told {
        assert_eq!(
            (&event["amount_cents"], &event["currency"]),
            (&CENTS.into(), &"EUR".into())
        );
        assert_eq!(event["lines"][0]["quantity"], 3);
    }
    (shop, order)
}

#[tokio::test]
async fn ok_is_asked_once() {
    let (shop, order) = pays("tok_ok", impatient()).await;
    assert_eq!(asked(&shop, &order).await, twice(1));
}

#[tokio::test]
async fn slow_is_waited_for() {
    let patient = AskSettings {
        timeout: Duration::from_secs(60),
        waits: AskSettings::default().waits,
        ..impatient()
    };
    let (shop, order) = pays("tok_slow", patient).await;
    assert_eq!(asked(&shop, &order).await, twice(1));
}

#[tokio::test]
async fn a_timeout_that_took_effect_is_asked_again_under_its_key() {
    let (shop, order) = pays("tok_timeout", impatient()).await;
    let asked = asked(&shop, &order).await;
    assert!(
        asked.len() == 2 && asked.iter().all(|(_, attempts)| *attempts >= 2),
        "{asked:?}"
    );
}

#[tokio::test]
async fn flaky_succeeds_at_the_third_attempt() {
    let (shop, order) = pays("tok_flaky", impatient()).await;
    let asked = asked(&shop, &order).await;
    assert!(
        asked.len() == 2 && asked.iter().all(|(_, attempts)| *attempts >= 3),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_webhook_that_comes_twice_counts_once() {
    let (shop, order) = pays("tok_twice", impatient()).await;
    let worker = shop.worker();
    shop.until_none("select count(*) from provider_webhooks where deliveries_left > 0")
        .await;
    worker.stop().await;
    assert_eq!(asked(&shop, &order).await, twice(1));
    assert_eq!(shop.count("select count(*) from payment_webhooks").await, 2);
}

#[tokio::test]
async fn declined_and_unknown_tokens_are_told_and_never_captured() {
    let shop = Shop::start().await;
    let worker = shop.worker();
    for (token, reason) in [
        ("tok_declined", "the card was declined"),
        ("tok_other", "unknown token"),
        ("", "unknown token"),
        ("4242 4242 4242 4242", "unknown token"),
    ] {
        let order = Order::new(token);
        worker.tell(&[order.placed()]).await;
        shop.until(order.id, "declined").await;
        worker.tell(&[order.claimed(), order.cancelled()]).await;
        let told = shop.told(order.id).await;
        assert_eq!((told.len(), told[0].0.as_str()), (1, "payment.declined"));
        assert_eq!(told[0].1["reason"], reason);
        assert_eq!(shop.state(order.id).await, "declined");
        assert_eq!(asked(&shop, &order).await, []);
    }
    worker.stop().await;
    assert_eq!(
        shop.count("select count(*) from payments where token like '%4242%'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_synthetic_order_is_paid_at_once_and_swept() {
    let shop = Shop::start().await;
    let worker = shop.worker();
    let order = Order {
        synthetic: true,
        ..Order::new("tok_declined")
    };
    let real = Order::new("tok_ok");
    worker.tell(&[order.placed(), real.placed()]).await;
    shop.until(order.id, "authorized").await;
    shop.until(real.id, "authorized").await;
    worker.tell(&[order.claimed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    assert!(
        shop.told(order.id)
            .await
            .iter()
            .all(|(_, event)| event["synthetic"] == true)
    );

    shop_payment::job::sweep::sweep(&shop.pool).await.unwrap();
    assert_eq!(shop.state(order.id).await, "captured");
    shop.run("update payments set created_at = now() - interval '11 minutes'")
        .await;
    shop.run("update provider_ledger set at = now() - interval '11 minutes'")
        .await;
    shop_payment::job::sweep::sweep(&shop.pool).await.unwrap();
    assert_eq!(
        (shop.state(order.id).await, shop.state(real.id).await),
        (String::new(), "authorized".to_owned())
    );
    let ledger = shop.ledger().await;
    assert!(ledger.len() == 1 && ledger[0].order_id == real.id, "{ledger:?}");
}
