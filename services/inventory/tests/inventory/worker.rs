//! The whole worker with real RabbitMQ: events come in, effects and events come out, each once.

use crate::books::check;
use crate::shop::{Shop, authorized};
use prometheus::Registry;
use shop_contract::event::{INVENTORY_WORK, PAYMENT_AUTHORIZED, PAYMENT_WORK};
use shop_inventory::job::sweep::Overdue;
use shop_inventory::job::work::work;
use shop_kit_events::EventMetrics;
use shop_kit_testbroker::{TestBroker, Wire};
use shop_kit_testshards::PATIENCE;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    fn start(shop: &Shop, broker: &TestBroker) -> Self {
        let (registry, stop) = (Registry::new(), CancellationToken::new());
        let (metrics, overdue) = (EventMetrics::new(&registry).unwrap(), Overdue::new(&registry).unwrap());
        let work = work(shop.pool.clone(), broker.broker.clone(), metrics, overdue, stop.clone());
        Self {
            stop,
            task: tokio::spawn(work),
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the worker does not stop")
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_orders_are_claimed_and_told_though_the_wire_is_cut() {
    let shop = Shop::start().await;
    let broker = TestBroker::start_with(&[INVENTORY_WORK, PAYMENT_WORK]).await;
    let product = shop.product(40, 4).await;
    let orders: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    for order in &orders {
        assert_eq!(shop.reserve(*order, &[(product, 1)]).await.status, 201);
    }
    let worker = Worker::start(&shop, &broker);
    for (index, order) in orders.iter().enumerate() {
        let event = authorized(*order, &[(product, 1)], false);
        broker.publish(PAYMENT_AUTHORIZED, event.id, &event.payload).await;
        broker.publish(PAYMENT_AUTHORIZED, event.id, &event.payload).await;
        match index {
            10 => broker.set(Wire::Cut),
            20 => broker.set(Wire::Open),
            _ => {}
        }
    }
    let mut told = 0;
    while told < 40 {
        told += broker.take(PAYMENT_WORK.name).await.events().len();
    }
    broker.until_waiting(INVENTORY_WORK.name, 0).await;
    worker.stop().await;
    assert_eq!((told, broker.waiting_in(PAYMENT_WORK.name).await), (40, 0));
    assert_eq!(shop.level(product).await, (0, 0));
    assert_eq!(broker.waiting_in(INVENTORY_WORK.name).await, 0);
    assert_eq!(shop.count("select count(*) from inventory_outbox").await, 40);
    check(&shop.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_goes_to_the_dead_letters_and_holds_up_nobody() {
    let shop = Shop::start().await;
    let broker = TestBroker::start_with(&[INVENTORY_WORK, PAYMENT_WORK]).await;
    let (product, order) = (shop.product(1, 1).await, Uuid::now_v7());
    let event = authorized(order, &[(product, 1)], false);
    broker.publish(PAYMENT_AUTHORIZED, Uuid::now_v7(), b"no event").await;
    broker.publish(PAYMENT_AUTHORIZED, event.id, &event.payload).await;
    let worker = Worker::start(&shop, &broker);
    broker.until_waiting(INVENTORY_WORK.dead_letters, 1).await;
    broker.until_waiting(PAYMENT_WORK.name, 1).await;
    worker.stop().await;
    assert_eq!(shop.state_of(order).await.as_deref(), Some("claimed"));
}
