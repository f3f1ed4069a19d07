//! A Redis cluster whose pods all died at once comes back with new addresses, and the operator joins it again.

use anyhow::ensure;
use shop_api::status::ComponentState;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::status::story;
use shop_e2e::{PATIENCE, SOON, eventually, fault};

const REDIS: &str = "app.kubernetes.io/component=redis";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_cluster_with_all_new_addresses_serves_again() {
    with_demo_shop(|demo| async move {
        let before: Vec<_> = demo
            .pods(REDIS)
            .await
            .expect("pods")
            .into_iter()
            .map(|pod| pod.metadata.uid)
            .collect();
        fault::kill(&demo.cluster, demo.namespace(), &demo.pod_names(REDIS).await).await;
        eventually(PATIENCE, "redis runs in new pods and serves", || async {
            let pods = demo.ready_pods(REDIS).await?;
            let new = pods.iter().filter(|pod| !before.contains(&pod.metadata.uid)).count();
            ensure!(new == before.len(), "{new} of {} pods are new and ready", before.len());
            let shop = demo.look().await?;
            let redis = shop
                .status
                .iter()
                .flat_map(|status| &status.components)
                .find(|one| one.name == "redis")
                .cloned();
            ensure!(
                redis.is_some_and(|redis| redis.state == ComponentState::Ready),
                "{}",
                story(&shop)
            );
            anyhow::Ok(())
        })
        .await;
        demo.becomes_ready().await;
        let storefront = demo.storefront().await;
        eventually(SOON, "the catalogue is served", || storefront.products()).await;
    })
    .await;
}
