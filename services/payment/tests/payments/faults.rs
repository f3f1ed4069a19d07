//! Faults between this service and the provider: whatever is lost, each paid order is captured once.

use crate::events::Order;
use crate::history::check;
use crate::providers::{Forgetful, Mute};
use crate::shop::{Shop, Worker, impatient};
use shop_kit_testshards::PATIENCE;
use shop_payment::job::ask::AskSettings;
use shop_payment::provider::{Provider, TestProvider, TestSettings};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Orders the shop was told are paid, with the amount.
async fn paid(shop: &Shop, orders: &[Order]) -> BTreeMap<Uuid, i64> {
    let mut paid = BTreeMap::new();
    for order in orders {
        let told = shop.told(order.id).await;
        let captured: Vec<i64> = told
            .iter()
            .filter(|(kind, _)| kind == "payment.captured")
            .map(|(_, event)| event["amount_cents"].as_i64().unwrap())
            .collect();
        assert!(captured.len() <= 1, "{} was told {} captures", order.id, captured.len());
        paid.extend(captured.first().map(|cents| (order.id, *cents)));
    }
    paid
}

/// Plays inventory: claims each order when its authorisation was told, until every payment has ended.
async fn claim_all<P: Provider>(shop: &Shop, worker: &Worker<P>, orders: &[Order]) {
    let (begun, mut claimed) = (Instant::now(), BTreeSet::new());
    loop {
        let authorized: Vec<Uuid> = sqlx::query_scalar(
            "select (payload::json->>'order_id')::uuid from payment_outbox where kind = 'payment.authorized'",
        )
        .fetch_all(shop.pool.executor())
        .await
        .unwrap();
        let new: Vec<_> = orders
            .iter()
            .filter(|order| authorized.contains(&order.id) && claimed.insert(order.id))
            .map(Order::claimed)
            .collect();
        if !new.is_empty() {
            worker.tell(&new).await;
        }
        let open = "select count(*) from payments where state not in ('captured', 'declined', 'voided')";
        let left = shop.count(open).await;
        if left == 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{left} payments have not ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn with_a_third_of_the_calls_unanswered_each_confirmed_order_is_captured_once() {
    let shop = Shop::start().await;
    let settings = TestSettings {
        timeout_percent: 30,
        delay: Duration::from_millis(2),
    };
    let provider = TestProvider::new(shop.pool.clone(), settings);
    let worker = shop.worker_with(provider, impatient());
    let orders: Vec<Order> = (0..200)
        .map(|number| match number % 10 {
            0 => Order::new("tok_declined"),
            1 => Order::new("tok_flaky"),
            _ => Order::new("tok_ok"),
        })
        .collect();
    for batch in orders.chunks(64) {
        let placed: Vec<_> = batch.iter().map(Order::placed).collect();
        worker.tell(&placed).await;
    }
    claim_all(&shop, &worker, &orders).await;
    worker.stop().await;

    let (ledger, paid) = (shop.ledger().await, paid(&shop, &orders).await);
    assert_eq!(check(&ledger, &paid), Vec::<String>::new());
    let captures = ledger
        .iter()
        .filter(|entry| entry.operation == "capture" && entry.happened)
        .count();
    assert_eq!((paid.len(), captures), (180, 180));
    for order in orders.iter().filter(|order| order.token == "tok_declined") {
        assert_eq!(shop.state(order.id).await, "declined");
        assert!(
            !ledger
                .iter()
                .any(|entry| entry.order_id == order.id && entry.operation == "capture")
        );
    }
    let repeated = ledger.iter().filter(|entry| entry.attempts > 1).count();
    assert!(
        repeated > 20,
        "only {repeated} questions were repeated: the fault did not happen"
    );
}

/// The checker has to see what the keys prevent; here they do not.
#[tokio::test]
async fn a_provider_that_forgets_keys_is_caught() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let worker = shop.worker_with(Forgetful(shop.provider()), impatient());
    worker.tell(&[order.placed()]).await;
    shop.until(order.id, "authorized").await;
    worker.tell(&[order.claimed()]).await;
    let begun = Instant::now();
    while shop
        .count("select count(*) from provider_ledger where operation = 'capture'")
        .await
        < 2
    {
        assert!(begun.elapsed() < PATIENCE, "it was not asked twice");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    worker.crash().await;
    let worker = shop.worker();
    shop.until(order.id, "captured").await;
    worker.stop().await;
    let wrong = check(&shop.ledger().await, &paid(&shop, &[order]).await);
    assert!(
        wrong
            .iter()
            .any(|wrong| wrong.starts_with(&format!("order {}: captured ", order.id)) && wrong.ends_with(" times")),
        "{wrong:?}"
    );
}

async fn until_in_ledger(shop: &Shop, sql: &'static str) {
    let begun = Instant::now();
    while shop.count(sql).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "the provider was not asked: {sql}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_crash_between_the_provider_and_the_record_leads_to_the_same_call_again() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let dying = AskSettings {
        timeout: PATIENCE,
        ..impatient()
    };
    let worker = shop.worker_with(Mute(shop.provider()), dying);
    worker.tell(&[order.placed()]).await;
    until_in_ledger(
        &shop,
        "select count(*) from provider_ledger where operation = 'authorise'",
    )
    .await;
    worker.crash().await;
    assert_eq!(shop.state(order.id).await, "authorizing");

    let worker = shop.worker();
    shop.until(order.id, "authorized").await;
    worker.stop().await;

    let worker = shop.worker_with(Mute(shop.provider()), dying);
    worker.tell(&[order.claimed()]).await;
    until_in_ledger(
        &shop,
        "select count(*) from provider_ledger where operation = 'capture'",
    )
    .await;
    worker.crash().await;
    assert_eq!(shop.state(order.id).await, "capturing");

    // The message comes again too, because it was not acknowledged.
    let worker = shop.worker();
    worker.tell(&[order.placed(), order.claimed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    let ledger = shop.ledger().await;
    assert_eq!(check(&ledger, &paid(&shop, &[order]).await), Vec::<String>::new());
    let asked: Vec<(&str, bool)> = ledger
        .iter()
        .map(|entry| (entry.operation.as_str(), entry.attempts >= 2))
        .collect();
    assert_eq!(asked, [("authorise", true), ("capture", true)]);
}

#[tokio::test]
async fn a_crash_before_the_call_leaves_an_intent_that_is_found() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let told = [shop_payment::job::intend::Told::read(&order.placed()).unwrap()];
    let calls = shop_payment::job::intend::intend(&shop.pool, &told, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((calls.len(), shop.state(order.id).await.as_str()), (1, "authorizing"));
    let worker = shop.worker();
    shop.until(order.id, "authorized").await;
    worker.stop().await;
}
