//! A service of the user's own runs beside the built-in ones and is reached through the gateway.

use anyhow::ensure;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use serde_json::json;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{PATIENCE, SOON, Shop, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_own_service_is_routed_and_removed() {
    with_demo_shop(|demo| async move {
        // Any image will do: this one cannot serve without its environment, so the gateway answers 503 for it. That it is
        // run, routed to, in nobody's way and removed is the promise.
        let image = image_of(&demo, "demo-product").await;
        let own = json!({"image": image, "port": 8080, "route": "/mine", "replicas": 1, "env": {"GREETING": "hello"}});
        demo.edit(json!({"services": {"mine": own}})).await;
        let deployments: Api<Deployment> = demo.cluster.api(demo.namespace());
        eventually(SOON, "Deployment demo-mine is made", || deployments.get("demo-mine")).await;
        let storefront = demo.storefront().await;
        eventually(PATIENCE, "the gateway knows /mine", || async {
            let (status, body) = storefront.get("/mine").await?;
            ensure!(body.contains("service/mine"), "the gateway answers {status} {body:?}");
            anyhow::Ok(())
        })
        .await;
        let customer = eventually(SOON, "a customer registers beside it", || storefront.register()).await;
        eventually(SOON, "orders go on beside it", || customer.order()).await;
        demo.edit(json!({"services": {"mine": null}})).await;
        eventually(PATIENCE, "Deployment demo-mine is removed", || async {
            ensure!(deployments.get_opt("demo-mine").await?.is_none(), "it is still there");
            anyhow::Ok(())
        })
        .await;
    })
    .await;
}

async fn image_of(shop: &Shop, deployment: &str) -> String {
    let deployments: Api<Deployment> = shop.cluster.api(shop.namespace());
    let template = deployments
        .get(deployment)
        .await
        .expect("the Deployment")
        .spec
        .expect("a spec")
        .template;
    template
        .spec
        .expect("a pod spec")
        .containers
        .remove(0)
        .image
        .expect("an image")
}
