//! From a merchant's change to the cache, with real RabbitMQ.

use crate::catalogue::{Catalogue, PATIENCE};
use prometheus::Registry;
use serde_json::json;
use shop_contract::event::PRODUCT_WORK;
use shop_kit_events::EventMetrics;
use shop_kit_testbroker::TestBroker;
use shop_product::cache::{Entry, Kind};
use shop_product::job::work::work;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_change_reaches_a_cache_that_missed_it() {
    let (shop, broker) = (Catalogue::cached().await, TestBroker::start_with(&[PRODUCT_WORK]).await);
    let id = shop.create(json!({})).await;
    // What a Redis that was away would still hold.
    let key = [id.to_string()];
    let mut connection = crate::price::redis_connection().await;
    let name = format!("shop:product:product:{id}");
    redis::cmd("SET")
        .arg(&name)
        .arg("0:{\"old\":true}")
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    assert_eq!(shop.held(id).await, Some(Entry::found(0, "{\"old\":true}")));

    let stop = CancellationToken::new();
    let metrics = EventMetrics::new(&Registry::new()).unwrap();
    let worker = work(
        shop.pool.clone(),
        shop.cache.clone(),
        broker.broker.clone(),
        metrics,
        stop.clone(),
    );
    let worker = tokio::spawn(worker);
    let begun = std::time::Instant::now();
    loop {
        let held = shop.cache.known(Kind::Product, &key).await.remove(0);
        if held.is_some_and(|held| held.version == 1) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the change does not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    broker.until_waiting(PRODUCT_WORK.name, 0).await;
    assert_eq!(broker.waiting_in(PRODUCT_WORK.dead_letters).await, 0);
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters() {
    let (shop, broker) = (
        Catalogue::uncached().await,
        TestBroker::start_with(&[PRODUCT_WORK]).await,
    );
    let stop = CancellationToken::new();
    let metrics = EventMetrics::new(&Registry::new()).unwrap();
    let worker = work(
        shop.pool.clone(),
        shop.cache.clone(),
        broker.broker.clone(),
        metrics,
        stop.clone(),
    );
    let worker = tokio::spawn(worker);
    broker
        .publish("product.changed", uuid::Uuid::now_v7(), b"no event")
        .await;
    broker.until_waiting(PRODUCT_WORK.dead_letters, 1).await;
    stop.cancel();
    worker.await.unwrap();
}
