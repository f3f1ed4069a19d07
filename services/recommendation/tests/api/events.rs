//! From RabbitMQ to what is shown.

use crate::shop::{Shop, order, product};
use prometheus::Registry;
use serde_json::json;
use shop_contract::event::{ANALYTICS_WORK, ORDER_CONFIRMED, RECOMMENDATION_WORK};
use shop_kit_events::EventMetrics;
use shop_kit_testbroker::TestBroker;
use shop_kit_testshards::PATIENCE;
use shop_recommendation::job::work::work;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test]
async fn a_confirmed_order_is_learnt_and_counted() {
    let queues = [RECOMMENDATION_WORK, ANALYTICS_WORK];
    let (shop, broker) = (Shop::start().await, TestBroker::start_with(&queues).await);
    let stop = CancellationToken::new();
    let metrics = EventMetrics::new(&Registry::new()).unwrap();
    let worker = tokio::spawn(work(shop.pool.clone(), broker.broker.clone(), metrics, stop.clone()));
    for _ in 0..20 {
        let event = order(ORDER_CONFIRMED, Uuid::now_v7(), Uuid::now_v7(), &[1, 2]);
        broker.publish(ORDER_CONFIRMED, event.id, &event.payload).await;
        broker.publish(ORDER_CONFIRMED, event.id, &event.payload).await;
    }
    broker.publish(ORDER_CONFIRMED, Uuid::now_v7(), b"no event").await;
    for queue in queues {
        broker.until_waiting(queue.dead_letters, 1).await;
        broker.until_waiting(queue.name, 0).await;
    }
    let begun = Instant::now();
    loop {
        let sales = shop.merchant("/api/v1/analytics/sales").await;
        let learnt: Option<i64> = sqlx::query_scalar("select orders from recommendation_pairs where product_id = $1")
            .bind(product(1))
            .fetch_optional(shop.pool.executor())
            .await
            .unwrap();
        let counted = json!([{"currency": "EUR", "orders": 20, "items": 40, "cents": 4_000}]);
        if learnt == Some(20) && sales["totals"] == counted {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{learnt:?}, {sales}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    worker.await.unwrap();
}
