//! A database that is cut off while it is made or cloned is made anew: Patroni alone would run half of it, or wait for a
//! person, for ever.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::status::story;
use shop_e2e::{PATIENCE, Shop, eventually};

/// Waits until some of it is there, and ends everything in the container as a power cut would.
const CUT: &str = "until test -d /data/postgres/base/1; do :; done; kill -9 -1";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_database_or_clone_cut_off_in_the_making_is_made_anew() {
    let change = json!({"services": null, "postgres": {"orders": {"replicas": 1}}});
    with_tiny_shop("cut-off", change, |shop| async move {
        shop.create().await;
        tokio::join!(cut_off(&shop, "catalog-0-0"), cut_off(&shop, "orders-0-1"));
        shop.becomes_ready().await;
        eventually(PATIENCE, "the clone streams", || async {
            let seen = shop.look().await?;
            let parts = seen.status.iter().flat_map(|status| &status.components);
            let in_sync: u32 = parts.flat_map(|part| &part.shards).map(|shard| shard.in_sync).sum();
            anyhow::ensure!(in_sync == 1, "{}", story(&seen));
            anyhow::Ok(())
        })
        .await;
    })
    .await;
}

async fn cut_off(shop: &Shop, pod: &str) {
    let pods: Api<Pod> = shop.cluster.api(shop.namespace());
    let name = format!("{}-{pod}", shop.name);
    let container = AttachParams::default().container("postgres");
    let cut = eventually(PATIENCE, format!("{name} runs"), || {
        pods.exec(&name, ["/bin/sh", "-c", CUT], &container)
    })
    .await;
    // The connection ends with the container.
    let _ = cut.join().await;
    eventually(PATIENCE, format!("{name} was cut off"), || async {
        let status = pods.get(&name).await?.status.unwrap_or_default();
        let restarts = status.container_statuses.iter().flatten().map(|one| one.restart_count);
        anyhow::ensure!(restarts.sum::<i32>() > 0, "it was not");
        anyhow::Ok(())
    })
    .await;
}
