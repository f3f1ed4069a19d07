//! No acknowledged order is lost when a shard's primary dies, nor when a change of the spec restarts its pods: whichever
//! member serves afterwards has every commit a customer was told of.

use serde_json::json;
use shop_api::status::ShardStatus;
use shop_e2e::stage::{with_demo_shop, with_tiny_shop};
use shop_e2e::{Customer, PATIENCE, SOON, Shop, eventually, fault, inside};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const POSTGRES: &str = "app.kubernetes.io/component=postgres";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_killed_primary() {
    with_demo_shop(|demo| async move {
        let customer = customer_of_shard_0(&demo).await;
        let old = primary(&demo).await;
        let pods = demo.pods(POSTGRES).await.expect("pods");
        let pod = pods.into_iter().find(|pod| pod.metadata.name.as_deref() == Some(&old));
        let uid = pod.expect("the primary's pod").metadata.uid;
        let acknowledged = while_ordering(&customer, async {
            fault::kill(&demo.cluster, demo.namespace(), std::slice::from_ref(&old)).await;
            the_shard_takes_orders_again(&demo, &customer, &old, uid).await;
        })
        .await;
        are_all_there(&demo, &acknowledged).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_change_that_restarts_every_pod() {
    let change = json!({"services": null, "postgres": {"orders": {"replicas": 1}}});
    with_tiny_shop("restarts", change, |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        let customer = customer_of_shard_0(&shop).await;
        let old = primary(&shop).await;
        let acknowledged = while_ordering(&customer, async {
            shop.edit(json!({"postgres": {"orders": {"resources": {"limits": {"memory": "1100Mi"}}}}}))
                .await;
            shop.settles().await;
        })
        .await;
        let new = primary(&shop).await;
        assert_ne!(new, old, "the primary was restarted without being handed over first");
        are_all_there(&shop, &acknowledged).await;
    })
    .await;
}

/// Registers customers until one lies in shard 0, which has a standby.
async fn customer_of_shard_0(shop: &Shop) -> Customer {
    let storefront = shop.storefront().await;
    eventually(SOON, "a customer of shard 0 orders", || async {
        let customer = storefront.register().await?;
        let order = customer.order().await?;
        anyhow::ensure!(
            order.shard == 0,
            "customer {} lies in shard {}",
            customer.id,
            order.shard
        );
        anyhow::Ok(customer)
    })
    .await
}

async fn shard_0(shop: &Shop) -> anyhow::Result<ShardStatus> {
    let seen = shop.look().await?;
    let components = seen.status.map(|status| status.components).unwrap_or_default();
    let orders = components.into_iter().find(|one| one.name == "postgres/orders");
    let shard = orders.and_then(|orders| orders.shards.into_iter().next());
    shard.ok_or_else(|| anyhow::anyhow!("the status lists no shard of orders"))
}

async fn primary(shop: &Shop) -> String {
    eventually(SOON, "shard 0 has a primary and a standby in sync", || async {
        let shard = shard_0(shop).await?;
        anyhow::ensure!(shard.in_sync > 0, "{shard:?}");
        shard.primary.ok_or_else(|| anyhow::anyhow!("no primary"))
    })
    .await
}

/// Which member serves afterwards is Patroni's to decide: a pod that is back within the lock's time goes on as primary.
async fn the_shard_takes_orders_again(shop: &Shop, customer: &Customer, killed: &str, uid: Option<String>) {
    eventually(PATIENCE, format!("{killed} runs as a new pod"), || async {
        let pods = shop.ready_pods(POSTGRES).await?;
        let new = pods
            .iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(killed) && pod.metadata.uid != uid);
        new.map(drop).ok_or_else(|| anyhow::anyhow!("not yet"))
    })
    .await;
    primary(shop).await;
    eventually(PATIENCE, "orders are taken again", || customer.order()).await;
}

/// Orders one after the other until `act` is done; returns every order the shop acknowledged. Failures are allowed:
/// what counts is that an answer, once given, holds.
async fn while_ordering(customer: &Customer, act: impl Future<Output = ()>) -> Vec<Uuid> {
    let stop = Arc::new(AtomicBool::new(false));
    let ordering = tokio::spawn(order_until(customer.clone(), stop.clone()));
    act.await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged = ordering.await.expect("the ordering task ends");
    assert!(
        acknowledged.len() > 10,
        "only {} orders were acknowledged",
        acknowledged.len()
    );
    acknowledged
}

async fn order_until(customer: Customer, stop: Arc<AtomicBool>) -> Vec<Uuid> {
    let mut acknowledged = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        if let Ok(order) = customer.order().await {
            acknowledged.push(order.id);
        }
    }
    acknowledged
}

async fn are_all_there(shop: &Shop, acknowledged: &[Uuid]) {
    let missing = eventually(SOON, "SQL in shard 0", || inside::orders_missing(shop, 0, acknowledged)).await;
    let count = acknowledged.len();
    assert!(
        missing.is_empty(),
        "of {count} acknowledged orders shard 0 lost {missing:?}"
    );
}
