//! The whole worker with real RabbitMQ: from `order.placed` to `payment.captured`.

use crate::events::{CENTS, Order};
use crate::shop::{Shop, WEBHOOK_SECRET, impatient};
use prometheus::Registry;
use serde_json::Value;
use shop_contract::event::{INVENTORY_WORK, ORDER_WORK, PAYMENT_WORK};
use shop_kit_config::Secret;
use shop_kit_events::{EventMetrics, Message};
use shop_kit_testbroker::TestBroker;
use shop_kit_testshards::PATIENCE;
use shop_payment::job::ask::Ask;
use shop_payment::job::work::{Work, work};
use tokio_util::sync::CancellationToken;

async fn publish(broker: &TestBroker, message: &Message) {
    broker.publish(&message.kind, message.id, &message.payload).await;
}

#[tokio::test]
async fn an_order_is_paid_through_the_queues_and_once() {
    let shop = Shop::start().await;
    let broker = TestBroker::start_with(&[PAYMENT_WORK, INVENTORY_WORK, ORDER_WORK]).await;
    let (ask, answers) = Ask::new(shop.provider(), impatient(), &Registry::new()).unwrap();
    let stop = CancellationToken::new();
    let all = Work {
        pool: shop.pool.clone(),
        broker: broker.broker.clone(),
        metrics: EventMetrics::new(&Registry::new()).unwrap(),
        webhook_secret: Secret::new(WEBHOOK_SECRET),
        ask,
        answers,
    };
    let worker = tokio::spawn(work(all, stop.clone()));

    let order = Order::new("tok_flaky");
    let (placed, claimed) = (order.placed(), order.claimed());
    publish(&broker, &placed).await;
    publish(&broker, &placed).await;
    let authorized: Value = serde_json::from_slice(&broker.take(INVENTORY_WORK.name).await.payload).unwrap();
    assert_eq!(
        (&authorized["order_id"], &authorized["lines"][0]["quantity"]),
        (&order.id.to_string().into(), &3.into())
    );
    publish(&broker, &claimed).await;
    publish(&broker, &claimed).await;
    let captured: Value = serde_json::from_slice(&broker.take(ORDER_WORK.name).await.payload).unwrap();
    assert_eq!(captured["amount_cents"], CENTS);

    broker.until_waiting(PAYMENT_WORK.name, 0).await;
    stop.cancel();
    tokio::time::timeout(PATIENCE, worker)
        .await
        .expect("the worker stops")
        .unwrap();
    // What was given back at the end would wait again.
    broker.until_waiting(PAYMENT_WORK.name, 0).await;
    for queue in [INVENTORY_WORK.name, ORDER_WORK.name, PAYMENT_WORK.dead_letters] {
        assert_eq!(broker.waiting_in(queue).await, 0, "{queue}");
    }
    assert_eq!(
        shop.count("select count(*) from payment_outbox where published_at is null")
            .await,
        0
    );
    assert_eq!(shop.count("select count(*) from provider_ledger").await, 2);
}
