//! From the outbox to the effect, with real RabbitMQ: nothing is lost and nothing happens twice, whatever breaks.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use prometheus::Registry;
use serde_json::json;
use shop::broker::{TestBroker, Wire};
use shop::{KETTLE, Shop, line};
use shop_contract::event::{EXCHANGE, ORDER_PLACED, ORDER_WORK};
use shop_kit_events::{Handler, Message, RelayError, RelayMetrics, relay_batch};
use shop_kit_postgres::ShardedPool;
use shop_kit_testshards::PATIENCE;
use shop_order::job::accept::Accept;
use shop_order::job::work::work;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const UNPUBLISHED: &str = "select count(*) from outbox where published_at is null";

struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(pools: ShardedPool, broker: &TestBroker) -> Self {
        let stop = CancellationToken::new();
        let metrics = RelayMetrics::new(&Registry::new()).unwrap();
        let task = tokio::spawn(work(pools, broker.broker.clone(), metrics, stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the worker does not stop")
            .unwrap();
    }
}

async fn order(shop: &Shop, user: Uuid) -> String {
    let placed = shop.place(user, json!([line(KETTLE, 1)])).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    placed.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn placed_orders_of_every_shard_are_accepted() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let worker = Worker::start(shop.pools.clone(), &broker);
    for shard in [0, 1] {
        let user = shop.two.user_in(shard);
        let id = order(&shop, user).await;
        shop.accepted(user, &id).await;
        assert_eq!(shop.count(shard, UNPUBLISHED).await, 0);
    }
    worker.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
}

#[tokio::test]
async fn an_order_placed_while_rabbitmq_is_away_is_accepted_after_its_return() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let worker = Worker::start(shop.pools.clone(), &broker);
    let user = shop.two.user_in(0);
    let first = order(&shop, user).await;
    shop.accepted(user, &first).await;
    broker.set(Wire::Cut);
    let second = order(&shop, user).await;
    assert_eq!(shop.count(0, UNPUBLISHED).await, 1);
    broker.set(Wire::Open);
    shop.accepted(user, &second).await;
    worker.stop().await;
}

#[tokio::test]
async fn an_event_whose_confirm_is_lost_is_published_again_and_has_one_effect() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let user = shop.two.user_in(0);
    let id = order(&shop, user).await;
    let pool = shop.pools.get(0).unwrap().pool;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    broker.set(Wire::Muted);
    let lost = relay_batch(&pool, &channel, Duration::from_secs(5)).await;
    assert!(matches!(lost, Err(RelayError::Broker(_))), "{lost:?}");
    broker.until_waiting(ORDER_WORK.name, 1).await;
    assert_eq!(shop.count(0, UNPUBLISHED).await, 1);
    broker.set(Wire::Cut);
    broker.set(Wire::Open);

    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    assert_eq!(relay_batch(&pool, &channel, PATIENCE).await.unwrap(), (1, 0));
    assert_eq!(relay_batch(&pool, &channel, PATIENCE).await.unwrap(), (0, 0));
    broker.until_waiting(ORDER_WORK.name, 2).await;

    let worker = Worker::start(shop.pools.clone(), &broker);
    shop.accepted(user, &id).await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    worker.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    assert_eq!(shop.count(0, "select count(*) from inbox").await, 1);
}

#[tokio::test]
async fn an_event_no_queue_takes_stays_until_one_does() {
    let (shop, broker) = (Shop::start().await, TestBroker::bare().await);
    let user = shop.two.user_in(0);
    let id = order(&shop, user).await;
    let pool = shop.pools.get(0).unwrap().pool;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    assert_eq!(relay_batch(&pool, &channel, PATIENCE).await.unwrap(), (0, 1));
    assert_eq!(
        shop.count(
            0,
            "select count(*) from outbox where published_at is null and attempts = 1"
        )
        .await,
        1
    );
    broker.make_queues().await;
    let worker = Worker::start(shop.pools.clone(), &broker);
    shop.accepted(user, &id).await;
    worker.stop().await;
}

#[tokio::test]
async fn two_relays_share_the_rows() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let user = shop.two.user_in(0);
    for _ in 0..20 {
        order(&shop, user).await;
    }
    let pool = shop.pools.get(0).unwrap().pool;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    let (left, right) = tokio::join!(
        relay_batch(&pool, &channel, PATIENCE),
        relay_batch(&pool, &channel, PATIENCE)
    );
    assert_eq!(left.unwrap().0 + right.unwrap().0, 20);
    broker.until_waiting(ORDER_WORK.name, 20).await;
}

#[tokio::test]
async fn a_message_that_comes_twice_has_one_effect() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let id = order(&shop, user).await;
    let pool = shop.pools.get(1).unwrap().pool;
    let payload: String = sqlx::query_scalar("select payload from outbox")
        .fetch_one(pool.executor())
        .await
        .unwrap();
    let message = Message {
        kind: ORDER_PLACED.to_owned(),
        payload: payload.into_bytes(),
    };
    let accept = Accept {
        shards: shop.pools.clone(),
    };
    accept.handle(&message).await.unwrap();
    shop.accepted(user, &id).await;
    sqlx::query("update orders set status = 'placed'")
        .execute(pool.executor())
        .await
        .unwrap();
    accept.handle(&message).await.unwrap();
    assert_eq!(
        shop.count(1, "select count(*) from orders where status = 'placed'")
            .await,
        1
    );
    assert_eq!(shop.count(1, "select count(*) from inbox").await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let worker = Worker::start(shop.pools.clone(), &broker);
    let (exchange, key) = (EXCHANGE.into(), ORDER_PLACED.into());
    let options = BasicPublishOptions::default();
    broker
        .channel
        .basic_publish(exchange, key, options, b"no event", BasicProperties::default())
        .await
        .unwrap();
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    let user = shop.two.user_in(0);
    let id = order(&shop, user).await;
    shop.accepted(user, &id).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_lost_shard_holds_up_nobody_else_and_loses_nothing() {
    let (shop, broker) = (Shop::start().await, TestBroker::start().await);
    let (here, there) = (shop.two.user_in(0), shop.two.user_in(1));
    let stuck = order(&shop, there).await;
    let (_connection, channel) = broker.broker.open("test").await.unwrap();
    assert_eq!(
        relay_batch(&shop.pools.get(1).unwrap().pool, &channel, PATIENCE)
            .await
            .unwrap(),
        (1, 0)
    );
    broker.until_waiting(ORDER_WORK.name, 1).await;

    let worker = Worker::start(shop.two.open_without(1).await.unwrap(), &broker);
    let id = order(&shop, here).await;
    shop.accepted(here, &id).await;
    worker.stop().await;
    broker.until_waiting(ORDER_WORK.name, 1).await;
    assert_eq!(broker.waiting_in(ORDER_WORK.dead_letters).await, 0);

    let worker = Worker::start(shop.pools.clone(), &broker);
    shop.accepted(there, &stuck).await;
    worker.stop().await;
}
