//! A suspended shop runs nothing and keeps everything; resumed, it has its customers and orders again.

use anyhow::ensure;
use serde_json::json;
use shop_api::condition::READY;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{PATIENCE, SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn suspending_stops_every_pod_and_keeps_the_data() {
    with_tiny_shop("suspend", json!({"services": null}), |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        let storefront = shop.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;

        shop.edit(json!({"suspend": true})).await;
        eventually(PATIENCE, "no pod runs", || async {
            let left = shop.pods("").await?.len();
            ensure!(left == 0, "{left} pods are left");
            anyhow::Ok(())
        })
        .await;
        shop.says(READY, "False", &["uspend"]).await;

        shop.edit(json!({"suspend": false})).await;
        shop.becomes_ready().await;
        let storefront = shop.storefront().await;
        let customer = customer.at(&storefront);
        eventually(SOON, "the old order is there and confirmed", || {
            customer.was_confirmed(order.id)
        })
        .await;
    })
    .await;
}
