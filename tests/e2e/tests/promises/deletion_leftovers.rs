//! A Patroni that is being ended may write its records once more after its shop was deleted. They go without anybody's
//! help; those of a shop that was made again meanwhile, and those of others, stay.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use kube::api::{Api, ListParams, PostParams};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{PATIENCE, SOON, Shop, eventually, throughout};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than the operator waits for stragglers.
const STRAGGLERS: Duration = Duration::from_secs(40);
/// Endpoints of this name can have been removed by nobody but the operator.
const NEVER_A_SERVICE: &str = "tiny-orders-7";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn records_written_after_a_deletion_go_and_those_of_a_new_shop_stay() {
    with_tiny_shop("leftovers", json!({"services": null}), |shop| async move {
        shop.create().await;
        let leads = || has(&shop, &["tiny-orders-0", "tiny-orders-0-config"]);
        eventually(PATIENCE, "the orders have a primary", leads).await;

        shop.delete().await.expect("an unprotected shop can be deleted");
        eventually(PATIENCE, "the shop's pods and Services are gone", || is_empty(&shop)).await;
        let stranger = json!({"app.kubernetes.io/instance": "tiny", "app.kubernetes.io/component": "postgres"});
        plant(&shop, "a-strangers", stranger).await;
        // As the last words of three members, one after the other.
        for name in ["tiny-orders-0", "tiny-orders-0-config", NEVER_A_SERVICE] {
            let scope = name.trim_end_matches("-config");
            let labels = json!({
                "app.kubernetes.io/instance": "tiny", "app.kubernetes.io/component": "postgres",
                "shop-operator.io/scope": scope,
            });
            plant(&shop, name, labels).await;
        }
        eventually(SOON, "no record is left but the stranger's", || async {
            let left = records(&shop).await?;
            ensure!(
                left.keys().eq(["a-strangers"]),
                "{:?}",
                left.into_keys().collect::<Vec<_>>()
            );
            anyhow::Ok(())
        })
        .await;

        // The operator still looks for stragglers of the old shop while the new one elects.
        shop.create().await;
        eventually(PATIENCE, "the orders of the new shop have a primary", leads).await;
        let before = records(&shop).await.expect("records");
        throughout(STRAGGLERS, "the new shop keeps its records", || async {
            let now = records(&shop).await?;
            let lost: Vec<_> = before
                .iter()
                .filter(|(name, uid)| now.get(*name) != Some(*uid))
                .collect();
            ensure!(lost.is_empty(), "gone or made anew: {lost:?}");
            anyhow::Ok(())
        })
        .await;
    })
    .await;
}

/// Endpoints of the shop that no Service's controller wrote: name → uid.
async fn records(shop: &Shop) -> Result<BTreeMap<String, String>> {
    let api: Api<Endpoints> = shop.cluster.api(shop.namespace());
    let selector = "app.kubernetes.io/instance=tiny,!app.kubernetes.io/managed-by";
    let found = api.list(&ListParams::default().labels(selector)).await?.items;
    Ok(found
        .iter()
        .map(|one| (one.name_any(), one.uid().unwrap_or_default()))
        .collect())
}

async fn has(shop: &Shop, wanted: &[&str]) -> Result<()> {
    let found = records(shop).await?;
    ensure!(
        wanted.iter().all(|name| found.contains_key(*name)),
        "{:?}",
        found.into_keys().collect::<Vec<_>>()
    );
    Ok(())
}

/// Kubernetes has done its part: a Service that still goes would take planted Endpoints of its name with it.
async fn is_empty(shop: &Shop) -> Result<()> {
    let pods: Api<Pod> = shop.cluster.api(shop.namespace());
    let services: Api<Service> = shop.cluster.api(shop.namespace());
    let left = [names(&pods).await?, names(&services).await?].concat();
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

async fn names<K>(api: &Api<K>) -> Result<Vec<String>>
where
    K: Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let found = api.list(&ListParams::default()).await?.items;
    Ok(found.iter().map(ResourceExt::name_any).collect())
}

async fn plant(shop: &Shop, name: &str, labels: Value) {
    let api: Api<Endpoints> = shop.cluster.api(shop.namespace());
    let record: Endpoints = serde_json::from_value(json!({"metadata": {
        "name": name, "labels": labels, "annotations": {"leader": "tiny-orders-0-0", "ttl": "20"},
    }}))
    .expect("Endpoints");
    // The old one may be there still.
    eventually(SOON, format!("{name} is written"), || async {
        match api.create(&PostParams::default(), &record).await {
            Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(()),
            other => other.map(|_| ()),
        }
    })
    .await;
}
