//! The smallest size runs every built-in service in one process, and that process is a whole shop. When it grows, it goes
//! on selling.

use anyhow::{Result, ensure};
use serde_json::json;
use shop_contract::api::Order;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{Customer, PATIENCE, SOON, Shop, eventually};
use std::sync::Mutex;
use std::time::Duration;

const SERVICES: &str = "app.kubernetes.io/component=service";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn one_process_sells_and_grows() {
    with_tiny_shop("one-process", json!({"services": null}), |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        let pods = shop.pod_names(SERVICES).await;
        assert_eq!(pods.len(), 1, "{pods:?}");
        let storefront = shop.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;
        eventually(SOON, "the order is confirmed", || customer.was_confirmed(order.id)).await;

        shop.edit(json!({"services": {"order": {"replicas": 1}}})).await;
        let refused = Mutex::new(Vec::new());
        eventually(PATIENCE, "each service runs by itself", || async {
            if let Err(why) = orders(&shop, &customer).await {
                refused.lock().expect("no panic while held").push(format!("{why:#}"));
            }
            let pods = shop.pod_names(SERVICES).await;
            ensure!(
                pods.iter().all(|pod| !pod.contains("-single-")) && pods.len() > 7,
                "{pods:?}"
            );
            anyhow::Ok(())
        })
        .await;
        let refused = refused.into_inner().expect("no panic while held");
        assert!(refused.is_empty(), "orders were refused while it grew: {refused:#?}");
        shop.becomes_ready().await;
        let storefront = shop.storefront().await;
        let customer = customer.at(&storefront);
        eventually(SOON, "the old order is still there", || {
            customer.was_confirmed(order.id)
        })
        .await;
        eventually(SOON, "orders go on", || customer.order()).await;
    })
    .await;
}

/// At the door of now, and for some seconds: gateway pods are replaced as well.
async fn orders(shop: &Shop, customer: &Customer) -> Result<Order> {
    let mut last = None;
    for _ in 0..5 {
        match customer.clone().at(&shop.door().await?).order().await {
            Ok(order) => return Ok(order),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(last.expect("it was tried"))
}
