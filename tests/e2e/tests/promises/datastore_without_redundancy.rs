//! A database with a single pod has nothing to fall back on, so its pod is not given up for a template that was never
//! seen running.

use anyhow::ensure;
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::waiting::not_yet;
use shop_e2e::{PATIENCE, SOON, Shop, eventually, throughout};
use std::time::Duration;

const NOWHERE: &str = "registry.invalid/nobody/nothing:1";
const ORDERS: &str = "app.kubernetes.io/component=postgres,app.kubernetes.io/name=orders-0";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn the_only_pod_is_not_given_up_for_a_bad_image() {
    with_tiny_shop("single", json!({"services": null}), |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        let pod = the_pod(&shop).await.expect("orders runs");
        shop.edit(json!({"postgres": {"image": NOWHERE}})).await;
        eventually(PATIENCE, "the status names the image", || async {
            let seen = shop.look().await?;
            let status = serde_json::to_string(&seen.status)?;
            ensure!(status.contains(NOWHERE), "{}", shop_e2e::status::story(&seen));
            anyhow::Ok(())
        })
        .await;
        let storefront = shop.storefront().await;
        let customer = eventually(SOON, "the shop still serves", || storefront.register()).await;
        throughout(Duration::from_secs(20), "the only pod of orders runs on", || async {
            let now = the_pod(&shop).await?;
            ensure!(now == pod, "pod {pod} was given up, now {now}");
            customer.orders().await.map(|_| ())
        })
        .await;
        shop.edit(json!({"postgres": {"image": null}})).await;
        shop.settles().await;
        assert_eq!(the_pod(&shop).await.ok(), Some(pod), "going back needs no restart");
    })
    .await;
}

/// The identity of the ready pod of orders.
async fn the_pod(shop: &Shop) -> anyhow::Result<String> {
    let pod = shop
        .ready_pods(ORDERS)
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| not_yet("no pod of orders is ready"))?;
    Ok(pod.metadata.uid.unwrap_or_default())
}
