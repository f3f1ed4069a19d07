//! The smallest size runs every built-in service in one process, and that process is a whole shop.

use anyhow::ensure;
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{PATIENCE, SOON, eventually};

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
        eventually(PATIENCE, "each service runs by itself", || async {
            let pods = shop.pod_names(SERVICES).await;
            ensure!(
                pods.iter().all(|pod| !pod.contains("-single-")) && pods.len() > 7,
                "{pods:?}"
            );
            anyhow::Ok(())
        })
        .await;
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
