//! From the outbox to the queue.

use crate::place::{Place, Running, TABLES};
use prometheus::{Registry, TextEncoder};
use shop_contract::event::ORDER_WORK;
use shop_kit_events::{EventMetrics, RelayError, purge, relay_all_shards, relay_batch, relay_one};
use shop_kit_testbroker::{TestBroker, Wire};
use shop_kit_testshards::PATIENCE;
use std::collections::HashSet;
use std::time::Duration;

const UNPUBLISHED: &str = "select count(*) from test_outbox where published_at is null";

async fn start() -> (Place, TestBroker) {
    tokio::join!(Place::start(), TestBroker::start_with(&[ORDER_WORK]))
}

fn metrics() -> EventMetrics {
    EventMetrics::new(&Registry::new()).unwrap()
}

#[tokio::test]
async fn events_of_every_shard_are_published_once() {
    let (place, broker) = start().await;
    let (pools, to) = (place.pools.clone(), broker.broker.clone());
    let relays = Running::start(|stop| relay_all_shards(pools, TABLES, to, metrics(), stop));
    let mut ids: HashSet<_> = place.append(0, 600).await.into_iter().collect();
    ids.extend(place.append(1, 3).await);
    let mut messages = 0;
    while !ids.is_empty() {
        messages += 1;
        for event in broker.take(ORDER_WORK.name).await.events() {
            assert!(ids.remove(&event.id), "{} came twice or was never appended", event.id);
        }
    }
    for shard in [0, 1] {
        place.until(shard, UNPUBLISHED, 0).await;
    }
    relays.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    // 600 that were appended together are claimed 256 at a time, in messages of 64 at most; the other three may come one
    // by one.
    assert!((11..=14).contains(&messages), "{messages} messages");
}

#[tokio::test]
async fn a_confirm_that_is_lost_leads_to_a_second_copy_and_never_to_none() {
    let (place, broker) = start().await;
    place.append(0, 1).await;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    broker.set(Wire::Muted);
    let lost = relay_batch(&place.pool(0), &TABLES, &channel, Duration::from_secs(3)).await;
    assert!(matches!(lost, Err(RelayError::Broker(_))), "{lost:?}");
    broker.until_waiting(ORDER_WORK.name, 1).await;
    assert_eq!(place.count(0, UNPUBLISHED).await, 1);
    broker.set(Wire::Cut);
    broker.set(Wire::Open);
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    assert_eq!(
        relay_batch(&place.pool(0), &TABLES, &channel, PATIENCE).await.unwrap(),
        (1, 0)
    );
    assert_eq!(
        relay_batch(&place.pool(0), &TABLES, &channel, PATIENCE).await.unwrap(),
        (0, 0)
    );
    broker.until_waiting(ORDER_WORK.name, 2).await;
}

#[tokio::test]
async fn a_relay_killed_between_publish_and_mark_loses_nothing() {
    let (place, broker) = start().await;
    let id = place.append(0, 1).await[0];
    let (pool, to) = (place.pool(0), broker.broker.clone());
    // The row is locked by nobody when the relay dies, but its publish has arrived and its mark has not.
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    broker.set(Wire::Muted);
    let killed = Running::start(|_| async move {
        let _ = relay_batch(&pool, &TABLES, &channel, PATIENCE).await;
    });
    broker.until_waiting(ORDER_WORK.name, 1).await;
    killed.kill().await;
    broker.set(Wire::Cut);
    broker.set(Wire::Open);
    assert_eq!(place.count(0, UNPUBLISHED).await, 1);
    let pool = place.pool(0);
    let relay = Running::start(|stop| relay_one(pool, TABLES, to, metrics(), stop));
    place.until(0, UNPUBLISHED, 0).await;
    relay.stop().await;
    for _ in 0..2 {
        let taken = broker.take(ORDER_WORK.name).await;
        assert_eq!(taken.properties.message_id().clone().unwrap().as_str(), id.to_string());
    }
}

#[tokio::test]
async fn an_event_no_queue_takes_stays_until_one_does() {
    let (place, broker) = tokio::join!(Place::start(), TestBroker::bare());
    place.append(0, 1).await;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    assert_eq!(
        relay_batch(&place.pool(0), &TABLES, &channel, PATIENCE).await.unwrap(),
        (0, 1)
    );
    assert_eq!(place.count(0, UNPUBLISHED).await, 1);
    broker.make_queues(&[ORDER_WORK]).await;
    let (pool, to) = (place.pool(0), broker.broker.clone());
    let relay = Running::start(|stop| relay_one(pool, TABLES, to, metrics(), stop));
    broker.until_waiting(ORDER_WORK.name, 1).await;
    place.until(0, UNPUBLISHED, 0).await;
    relay.stop().await;
}

#[tokio::test]
async fn events_appended_while_rabbitmq_is_away_are_published_after_its_return() {
    let (place, broker) = start().await;
    let (pool, to) = (place.pool(0), broker.broker.clone());
    let registry = Registry::new();
    let metrics = EventMetrics::new(&registry).unwrap();
    let relay = Running::start(|stop| relay_one(pool, TABLES, to, metrics, stop));
    place.append(0, 1).await;
    broker.until_waiting(ORDER_WORK.name, 1).await;
    broker.set(Wire::Cut);
    place.append(0, 5).await;
    assert_eq!(place.count(0, UNPUBLISHED).await, 5);
    broker.set(Wire::Open);
    place.until(0, UNPUBLISHED, 0).await;
    relay.stop().await;
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let line = r#"shop_outbox_published_total{outbox="test_outbox",tier="postgres/orders/0"} 6"#;
    assert!(
        text.contains(line) && text.contains("shop_outbox_oldest_seconds"),
        "{text}"
    );
}

#[tokio::test]
async fn two_relays_share_the_rows() {
    let (place, broker) = start().await;
    place.append(0, 400).await;
    let (pool, unheard) = (place.pool(0), Duration::from_secs(3));
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    broker.set(Wire::Muted);
    // The first holds a full batch while it waits for confirms that never come; the second gets the rest.
    let first = tokio::spawn(async move { relay_batch(&pool, &TABLES, &channel, unheard).await });
    broker.until_waiting(ORDER_WORK.name, 4).await;
    let second = relay_batch(&place.pool(0), &TABLES, &broker.channel, PATIENCE).await;
    assert_eq!(second.unwrap(), (144, 0));
    assert!(first.await.unwrap().is_err());
    assert_eq!(place.count(0, UNPUBLISHED).await, 256);
    broker.until_waiting(ORDER_WORK.name, 4 + 3).await;
}

#[tokio::test]
async fn only_what_was_published_long_ago_is_removed() {
    let place = Place::start().await;
    let ids = place.append(0, 3).await;
    let pool = place.pool(0);
    for (id, published) in [(ids[0], "2 hours"), (ids[1], "1 minute")] {
        let statement = "update test_outbox set published_at = now() - $2::text::interval, created_at = now() - interval '1 day' \
                         where id = $1";
        let updated = sqlx::query(statement).bind(id).bind(published).execute(pool.executor());
        updated.await.unwrap();
    }
    purge(&pool, &TABLES).await.unwrap();
    assert_eq!(place.count(0, "select count(*) from test_outbox").await, 2);
    assert_eq!(place.count(0, UNPUBLISHED).await, 1);
}
