//! The feed and the webhook of a customer.

use crate::place::{Place, Worker, broker, event, publish};
use crate::receiver::Receiver;
use shop_contract::event::{NOTIFICATION_WORK, ORDER_PLACED, ORDER_SHIPPED, OrderEvent};
use shop_kit_testshards::PATIENCE;
use shop_user::mail::MailSettings;
use shop_user::store::{notification, webhook};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const DELIVERED: &str = "select count(*) from user_webhook_deliveries where state = 'delivered'";
/// Nothing that was put off has to be waited for.
pub const DUE: &str = "update user_webhook_deliveries set due_at = now() where state = 'waiting' and claim is null";
pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn no_mail() -> MailSettings {
    MailSettings {
        shop: "Tea".to_owned(),
        server: None,
    }
}

#[tokio::test]
async fn what_happens_to_an_order_is_in_its_customer_s_feed_once() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let worker = Worker::start(&place, &broker, no_mail());
    let (ada, bob) = (
        place.customer(0, "ada@example.com").await,
        place.customer(1, "bob@example.com").await,
    );
    let placed = event(ada);
    publish(&broker, ORDER_PLACED, &placed).await;
    publish(&broker, ORDER_PLACED, &placed).await;
    publish(&broker, ORDER_PLACED, &event(ada)).await;
    publish(&broker, ORDER_PLACED, &event(bob)).await;
    place.until(0, "select count(*) from user_notifications", 1).await;
    publish(&broker, ORDER_SHIPPED, &event(ada)).await;
    place.until(0, "select count(*) from user_notifications", 2).await;
    place.until(1, "select count(*) from user_notifications", 1).await;
    broker.until_waiting(NOTIFICATION_WORK.name, 0).await;
    worker.stop().await;
    let feed = notification::list(&place.pools, ada, None, 10).await.unwrap();
    let kinds: Vec<&str> = feed.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, [ORDER_SHIPPED, ORDER_PLACED]);
    assert!(
        feed.iter()
            .all(|entry| entry.order_id == placed.order_id && entry.read_at.is_none())
    );
    let older = notification::list(&place.pools, ada, Some(feed[0].id), 10)
        .await
        .unwrap();
    assert_eq!(older, feed[1..]);
    assert!(!notification::mark_read(&place.pools, bob, feed[0].id).await.unwrap());
    assert!(notification::mark_read(&place.pools, ada, feed[0].id).await.unwrap());
    let read = |entries: &[shop_contract::api::notification::Notification]| {
        entries.iter().filter(|entry| entry.read_at.is_some()).count()
    };
    assert_eq!(read(&notification::list(&place.pools, ada, None, 10).await.unwrap()), 1);
    notification::mark_all_read(&place.pools, ada).await.unwrap();
    assert_eq!(read(&notification::list(&place.pools, ada, None, 10).await.unwrap()), 2);
    assert_eq!(read(&notification::list(&place.pools, bob, None, 10).await.unwrap()), 0);
}

#[tokio::test]
async fn a_webhook_is_called_with_a_signature_until_it_answers() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let receiver = Receiver::start(2).await;
    let ada = place.customer(0, "ada@example.com").await;
    assert!(webhook::set(&place.pools, ada, &receiver.url, SECRET).await.unwrap());
    let worker = Worker::start(&place, &broker, no_mail());
    let told = event(ada);
    publish(&broker, ORDER_SHIPPED, &told).await;
    let begun = Instant::now();
    while place.count(0, DELIVERED).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "never delivered");
        place.execute(0, DUE).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    publish(&broker, ORDER_SHIPPED, &told).await;
    broker.until_waiting(NOTIFICATION_WORK.name, 0).await;
    worker.stop().await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    for call in &calls {
        assert!(call.is_signed_with(SECRET), "{call:?}");
        assert_eq!(call.id, told.event_id.to_string());
        assert_eq!(call.json()["type"], ORDER_SHIPPED);
        assert_eq!(call.json()["data"]["order_id"], told.order_id.to_string());
        assert!(!String::from_utf8_lossy(&call.body).contains("tok_ok"));
    }
    assert_eq!(place.count(0, "select count(*) from user_notifications").await, 1);
}

#[tokio::test]
async fn a_webhook_that_is_a_tarpit_holds_up_nobody_else() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let (tarpit, well) = (Receiver::start(0).await, Receiver::start(0).await);
    let (ada, bob) = (
        place.customer(0, "ada@example.com").await,
        place.customer(0, "bob@example.com").await,
    );
    webhook::set(&place.pools, ada, &tarpit.tarpit(), SECRET).await.unwrap();
    webhook::set(&place.pools, bob, &well.url, SECRET).await.unwrap();
    // More than a worker takes at a time.
    for _ in 0..150 {
        let told = OrderEvent {
            order_id: Uuid::now_v7(),
            ..event(ada)
        };
        publish(&broker, ORDER_PLACED, &told).await;
    }
    let worker = Worker::start(&place, &broker, no_mail());
    let begun = Instant::now();
    while tarpit.most_at_once() == 0 {
        assert!(begun.elapsed() < PATIENCE, "the tarpit is never called");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    publish(&broker, ORDER_SHIPPED, &event(bob)).await;
    place.until(0, DELIVERED, 1).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    place.until(0, "select count(*) from user_notifications", 151).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    worker.stop().await;
    assert_eq!(tarpit.most_at_once(), 1);
}

#[tokio::test]
async fn old_entries_and_deliveries_are_all_removed_however_many_there_are() {
    let place = Place::start().await;
    let ada = place.customer(0, "ada@example.com").await;
    webhook::set(&place.pools, ada, "http://127.0.0.1:9/", SECRET)
        .await
        .unwrap();
    for statement in [
        "insert into user_notifications (id, user_id, kind, order_id, created_at) \
         select gen_random_uuid(), id, 'order.placed', gen_random_uuid(), now() - interval '91 days' \
         from users, generate_series(1, 12000)",
        "insert into user_webhook_deliveries (event_id, user_id, kind, body, created_at) \
         select gen_random_uuid(), id, 'order.placed', '{}', now() - interval '31 days' \
         from users, generate_series(1, 12000)",
    ] {
        place.execute(0, statement).await;
    }
    notification::sweep(&place.pool(0)).await.unwrap();
    for left in [
        "select count(*) from user_notifications",
        "select count(*) from user_webhook_deliveries",
    ] {
        assert_eq!(place.count(0, left).await, 0, "{left}");
    }
}

#[tokio::test]
async fn a_webhook_that_was_removed_is_not_called() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let receiver = Receiver::start(0).await;
    let ada = place.customer(0, "ada@example.com").await;
    assert!(webhook::set(&place.pools, ada, &receiver.url, SECRET).await.unwrap());
    assert_eq!(
        webhook::find(&place.pools, ada).await.unwrap().unwrap().url,
        receiver.url
    );
    assert!(webhook::remove(&place.pools, ada).await.unwrap());
    assert!(!webhook::remove(&place.pools, ada).await.unwrap());
    assert!(webhook::find(&place.pools, ada).await.unwrap().is_none());
    let worker = Worker::start(&place, &broker, no_mail());
    publish(&broker, ORDER_SHIPPED, &event(ada)).await;
    place.until(0, "select count(*) from user_notifications", 1).await;
    // Nor one that comes later.
    assert!(webhook::set(&place.pools, ada, &receiver.url, SECRET).await.unwrap());
    worker.stop().await;
    assert!(receiver.calls().is_empty());
}
