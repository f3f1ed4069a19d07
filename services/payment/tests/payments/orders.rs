//! Events in any order and more than once: one transaction's worth of effect each.

use crate::events::Order;
use crate::shop::Shop;
use shop_kit_events::{HandleError, Handler, Message};
use shop_kit_testshards::PATIENCE;
use shop_payment::job::intend::{Told, intend};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

#[tokio::test]
async fn an_event_that_comes_twice_has_one_effect() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let worker = shop.worker();
    let (placed, claimed) = (order.placed(), order.claimed());
    worker.tell(&[placed.clone(), placed.clone()]).await;
    worker.tell(std::slice::from_ref(&placed)).await;
    shop.until(order.id, "authorized").await;
    // The same fact under a new id, as a reconciler tells it again.
    worker.tell(&[order.placed(), claimed.clone(), claimed.clone()]).await;
    shop.until(order.id, "captured").await;
    worker.tell(&[claimed, order.claimed(), order.placed()]).await;
    worker.stop().await;
    let asked: Vec<(String, i32)> = shop
        .ledger()
        .await
        .into_iter()
        .map(|entry| (entry.operation, entry.attempts))
        .collect();
    assert_eq!(asked, [("authorise".to_owned(), 1), ("capture".to_owned(), 1)]);
    assert_eq!(shop.kinds(order.id).await, ["payment.authorized", "payment.captured"]);
    assert_eq!(shop.count("select count(*) from payments").await, 1);
}

#[tokio::test]
async fn a_cancellation_ends_a_payment_wherever_it_stands() {
    let shop = Shop::start().await;
    let worker = shop.worker();
    let (unseen, together, authorized, captured) = (
        Order::new("tok_ok"),
        Order::new("tok_ok"),
        Order::new("tok_ok"),
        Order::new("tok_ok"),
    );

    worker.tell(&[unseen.cancelled()]).await;
    worker.tell(&[unseen.placed(), unseen.claimed()]).await;
    worker
        .tell(&[
            together.placed(),
            together.cancelled(),
            authorized.placed(),
            captured.placed(),
        ])
        .await;
    shop.until(together.id, "voided").await;
    shop.until(authorized.id, "authorized").await;
    shop.until(captured.id, "authorized").await;
    worker.tell(&[authorized.cancelled(), captured.claimed()]).await;
    shop.until(authorized.id, "voided").await;
    shop.until(captured.id, "captured").await;
    worker.tell(&[captured.cancelled()]).await;
    shop.until(captured.id, "refunded").await;
    worker
        .tell(&[authorized.claimed(), captured.cancelled(), captured.claimed()])
        .await;
    worker.stop().await;

    assert_eq!(shop.state(unseen.id).await, "tombstone");
    assert_eq!(shop.state(authorized.id).await, "voided");
    assert_eq!(shop.kinds(unseen.id).await, Vec::<String>::new());
    assert_eq!(shop.kinds(together.id).await, Vec::<String>::new());
    let kinds = shop.kinds(captured.id).await;
    assert_eq!(kinds, ["payment.authorized", "payment.captured", "payment.refunded"]);
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    for entry in shop.ledger().await {
        *done.entry(entry.operation).or_default() += 1;
    }
    let wanted = [("authorise", 3), ("capture", 1), ("refund", 1), ("void", 2)];
    assert_eq!(done, wanted.map(|(name, times)| (name.to_owned(), times)).into());
}

#[tokio::test]
async fn a_claim_that_overtakes_its_order_is_kept() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let worker = shop.worker();
    worker.tell(&[order.claimed()]).await;
    assert_eq!(shop.state(order.id).await, "new");
    worker.tell(&[order.placed()]).await;
    shop.until(order.id, "captured").await;
    worker.stop().await;
    let told = shop.told(order.id).await;
    assert!(
        told.iter()
            .all(|(_, event)| event["amount_cents"] == crate::events::CENTS),
        "{told:?}"
    );
}

/// Two workers, the same orders, every event in both and in opposite orders.
#[tokio::test]
async fn two_workers_with_the_same_events_agree() {
    let shop = Shop::start().await;
    let (left, right) = (shop.worker(), shop.worker());
    let orders: Vec<Order> = (0..40).map(|_| Order::new("tok_ok")).collect();
    let placed: Vec<Message> = orders.iter().map(Order::placed).collect();
    let mut others: Vec<Message> = orders
        .iter()
        .map(Order::cancelled)
        .chain(orders.iter().map(Order::placed))
        .collect();
    others.reverse();
    let tell = |worker, messages: Vec<Message>| async move {
        let worker: &crate::shop::Worker<_> = worker;
        for batch in messages.chunks(16) {
            // A deadlock or a race is told as unavailable, and the message comes again.
            while let Err(error) = worker.accept.handle(batch).await {
                assert!(matches!(error, HandleError::Unavailable(_)), "{error}");
            }
        }
    };
    tokio::join!(tell(&left, placed), tell(&right, others));
    for order in &orders {
        let state = shop.state(order.id).await;
        let end = if state == "tombstone" { "tombstone" } else { "voided" };
        shop.until(order.id, end).await;
    }
    left.stop().await;
    right.stop().await;
    assert_eq!(shop.count("select count(*) from payments").await, 40);
    assert_eq!(
        shop.count("select count(*) from provider_ledger where operation = 'capture'")
            .await,
        0
    );
    assert_eq!(shop.count("select count(*) from payment_inbox").await, 120);
}

/// Neither sees the other's row until it is committed; the second must not lose its fact over it.
#[tokio::test]
async fn an_order_another_worker_adds_meanwhile_is_seen() {
    let (shop, order) = (Shop::start().await, Order::new("tok_ok"));
    let mut other = shop.pool.begin().await.unwrap();
    let added = "insert into payments (id, order_id, user_id, state, amount_cents, currency, token, lines, synthetic) \
                 values ($1, $2, $3, 'authorized', 1500, 'EUR', 'tok_ok', '[]', false)";
    let added = sqlx::query(added).bind(Uuid::now_v7()).bind(order.id).bind(order.user);
    added.execute(&mut *other).await.unwrap();
    let told = [Told::read(&order.cancelled()).unwrap()];
    let pool = shop.pool.clone();
    let cancelled = tokio::spawn(async move { intend(&pool, &told, PATIENCE).await });
    let begun = Instant::now();
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while shop.count(waits).await == 0 {
        assert!(
            begun.elapsed() < PATIENCE,
            "the second transaction does not wait for the first"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shop.pool.commit(other).await.unwrap();
    let calls = cancelled.await.unwrap().unwrap();
    assert_eq!((calls.len(), shop.state(order.id).await.as_str()), (1, "voiding"));
}

#[tokio::test]
async fn what_cannot_be_read_is_poison() {
    let shop = Shop::start().await;
    let worker = shop.worker();
    let broken = Message {
        payload: b"no event".to_vec(),
        ..Order::new("tok_ok").placed()
    };
    let strange = Message {
        kind: "order.shipped".to_owned(),
        ..Order::new("tok_ok").placed()
    };
    for message in [broken, strange] {
        let handled = worker.accept.handle(&[message]).await;
        assert!(matches!(handled, Err(HandleError::Poison(_))), "{handled:?}");
    }
    worker.stop().await;
    assert_eq!(shop.count("select count(*) from payments").await, 0);
}
