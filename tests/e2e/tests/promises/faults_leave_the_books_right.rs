//! Whatever dies while customers order: afterwards every acknowledged order is confirmed or cancelled, nothing is sold
//! twice or paid twice, and stock, orders and payments agree.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use shop_e2e::customer::{DECLINED, PAYS};
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{Customer, PATIENCE, SOON, Shop, books, eventually, fault, inside, seed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// What dies, one after the other; each a pod of these.
const VICTIMS: [(&str, &str); 5] = [
    (
        "a worker of payment",
        "app.kubernetes.io/component=service,app.kubernetes.io/name=payment-work",
    ),
    (
        "a worker of inventory",
        "app.kubernetes.io/component=service,app.kubernetes.io/name=inventory-work",
    ),
    (
        "a worker of order",
        "app.kubernetes.io/component=service,app.kubernetes.io/name=order-work",
    ),
    ("a RabbitMQ node", "app.kubernetes.io/component=rabbitmq"),
    (
        "the primary of a shard",
        "shop-operator.io/scope=demo-orders-0,role=primary",
    ),
];
const CUSTOMERS: usize = 6;
const PIECES: u32 = 5000;
/// Of each burst: before the fault, at most, and after it.
const BEFORE: Duration = Duration::from_millis(2500);
const AFTER: Duration = Duration::from_millis(2500);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn every_acknowledged_order_ends_well() {
    with_demo_shop(|demo| async move {
        let mut random = seed::generator("faults_leave_the_books_right");
        let storefront = demo.storefront().await;
        let product = Uuid::now_v7();
        inside::stock(&demo, product, PIECES).await.expect("stock");
        let mut customers = Vec::new();
        while customers.len() < CUSTOMERS {
            customers.push(eventually(SOON, "a customer registers", || storefront.register()).await);
        }
        let mut victims = VICTIMS;
        victims.shuffle(&mut random);
        let mut acknowledged = Vec::new();
        for (name, labels) in victims {
            let before = acknowledged.len();
            acknowledged.extend(burst(&demo, &customers, product, labels, &mut random).await);
            let agreed = || books::agree(&demo, product, PIECES.into(), &acknowledged);
            let sales = eventually(PATIENCE, format!("the books agree after {name} died"), agreed).await;
            println!(
                "{name}: {} acknowledged, {} orders in all",
                acknowledged.len() - before,
                sales.len()
            );
            assert!(
                acknowledged.len() > before,
                "no order was acknowledged while {name} died"
            );
            demo.settles().await;
        }
    })
    .await;
}

/// Customers order while a pod dies at a moment of the seed's choice; returns every order the shop acknowledged.
async fn burst(demo: &Shop, customers: &[Customer], product: Uuid, labels: &str, random: &mut StdRng) -> Vec<Uuid> {
    let stop = Arc::new(AtomicBool::new(false));
    let order = |customer: &Customer| tokio::spawn(order_until(customer.clone(), product, stop.clone()));
    let ordering: Vec<_> = customers.iter().map(order).collect();
    tokio::time::sleep(BEFORE.mul_f64(random.random())).await;
    let pods = demo.pod_names(labels).await;
    let victim = pods[random.random_range(0..pods.len())].clone();
    fault::kill(&demo.cluster, demo.namespace(), &[victim]).await;
    tokio::time::sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for task in ordering {
        acknowledged.extend(task.await.expect("the ordering task ends"));
    }
    acknowledged
}

/// Every fifth card is declined. Failures are allowed: what counts is that an answer, once given, holds.
async fn order_until(customer: Customer, product: Uuid, stop: Arc<AtomicBool>) -> Vec<Uuid> {
    let mut acknowledged = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    for number in 1_u32.. {
        pace.tick().await;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let card = if number % 5 == 0 { DECLINED } else { PAYS };
        if let Ok(order) = customer.order_of(product, card).await {
            acknowledged.push(order.id);
        }
    }
    acknowledged
}
