//! The worker with a real RabbitMQ: from the checkout to payment's queue, and from payment's word to the customer.

use crate::saga::payment;
use crate::shop::Shop;
use prometheus::Registry;
use shop_contract::event::{NOTIFICATION_WORK, ORDER_WORK, PAYMENT_CAPTURED, PAYMENT_WORK, Queue};
use shop_kit_events::EventMetrics;
use shop_kit_postgres::ShardedPool;
use shop_kit_testbroker::{TestBroker, Wire};
use shop_kit_testshards::PATIENCE;
use shop_order::config::WorkConfig;
use shop_order::job::work::work;
use shop_order::metrics::OrderMetrics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// This service's, and others that take every event it tells.
const QUEUES: &[Queue] = &[ORDER_WORK, PAYMENT_WORK, NOTIFICATION_WORK];
const UNPUBLISHED: &str = "select count(*) from outbox where published_at is null";

struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(shop: &Shop, pools: ShardedPool, broker: &TestBroker) -> Self {
        let (stop, registry) = (CancellationToken::new(), Registry::new());
        let config = WorkConfig {
            orders: shop.two.settings.clone(),
            broker: broker.broker.clone(),
            keep_months: None,
        };
        let (events, orders) = (
            EventMetrics::new(&registry).unwrap(),
            OrderMetrics::new(&registry).unwrap(),
        );
        let task = tokio::spawn(work(pools, config, events, orders, stop.clone()));
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

async fn capture(broker: &TestBroker, user: Uuid, order: Uuid) {
    let captured = payment(PAYMENT_CAPTURED, user, order);
    broker.publish(&captured.kind, captured.id, &captured.payload).await;
}

async fn until_published(shop: &Shop, shard: u16) {
    let published = crate::shop::eventually(async || match shop.count(shard, UNPUBLISHED).await {
        0 => Ok(()),
        waiting => Err(waiting),
    });
    published
        .await
        .unwrap_or_else(|waiting| panic!("{waiting} events of shard {shard} were not published"));
}

#[tokio::test]
async fn orders_of_every_shard_are_told_and_confirmed() {
    let (shop, broker) = (Shop::start().await, TestBroker::start_with(QUEUES).await);
    let worker = Worker::start(&shop, shop.pools.clone(), &broker);
    for (shard, told) in [(0, 1), (1, 2)] {
        let user = shop.two.user_in(shard);
        let order = shop.order(user).await;
        broker.until_waiting(PAYMENT_WORK.name, told).await;
        capture(&broker, user, order).await;
        shop.until(user, order, "confirmed").await;
        until_published(&shop, shard).await;
    }
    broker.until_waiting(NOTIFICATION_WORK.name, 4).await;
    worker.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
}

#[tokio::test]
async fn an_order_placed_while_rabbitmq_is_away_is_told_after_its_return() {
    let (shop, broker) = (Shop::start().await, TestBroker::start_with(QUEUES).await);
    let worker = Worker::start(&shop, shop.pools.clone(), &broker);
    let user = shop.two.user_in(0);
    let first = shop.order(user).await;
    capture(&broker, user, first).await;
    shop.until(user, first, "confirmed").await;
    until_published(&shop, 0).await;
    broker.set(Wire::Cut);
    let second = shop.order(user).await;
    capture(&broker, user, second).await;
    assert_eq!(
        (shop.count(0, UNPUBLISHED).await, shop.status(user, second).await),
        (1, "placed".to_owned())
    );
    broker.set(Wire::Open);
    shop.until(user, second, "confirmed").await;
    until_published(&shop, 0).await;
    worker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters_alone() {
    let (shop, broker) = (Shop::start().await, TestBroker::start_with(QUEUES).await);
    let user = shop.two.user_in(0);
    let order = shop.order(user).await;
    broker.publish(PAYMENT_CAPTURED, Uuid::now_v7(), b"no event").await;
    capture(&broker, user, order).await;
    let worker = Worker::start(&shop, shop.pools.clone(), &broker);
    shop.until(user, order, "confirmed").await;
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_lost_shard_holds_up_nobody_else_and_loses_nothing() {
    let (shop, broker) = (Shop::start().await, TestBroker::start_with(QUEUES).await);
    let (here, there) = (shop.two.user_in(0), shop.two.user_in(1));
    let (mine, stuck) = (shop.order(here).await, shop.order(there).await);
    capture(&broker, there, stuck).await;
    capture(&broker, here, mine).await;
    let worker = Worker::start(&shop, shop.two.open_without(1).await.unwrap(), &broker);
    shop.until(here, mine, "confirmed").await;
    worker.stop().await;
    assert_eq!(broker.waiting_in(ORDER_WORK.dead_letters).await, 0);
    assert_eq!(shop.status(there, stuck).await, "placed");

    let worker = Worker::start(&shop, shop.pools.clone(), &broker);
    shop.until(there, stuck, "confirmed").await;
    until_published(&shop, 1).await;
    worker.stop().await;
}
