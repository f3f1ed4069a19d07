//! A ShopDeployment becomes Ready, proved by an order, and its status and columns say so.

use shop_api::condition::{READY, RECONCILING, STALLED, VALID};
use shop_api::status::ComponentState;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::status::{condition, story};
use shop_e2e::{PATIENCE, SOON, Shop, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn the_demo_shop_is_ready_and_says_so() {
    with_demo_shop(|demo| async move {
        // A pod that another promise restarted may still be on its way.
        let shop = eventually(PATIENCE, "every part is ready", || async {
            let shop = demo.is_settled().await?;
            let parts = shop.status.iter().flat_map(|status| &status.components);
            let away: Vec<&str> = parts
                .filter(|part| part.state != ComponentState::Ready || part.ready < part.wanted)
                .map(|part| part.name.as_str())
                .collect();
            anyhow::ensure!(away.is_empty(), "{away:?}: {}", story(&shop));
            anyhow::Ok(shop)
        })
        .await;
        let status = shop.status.clone().expect("a ready shop has a status");
        assert_eq!(status.observed_generation, shop.metadata.generation);

        for (kind, wanted) in [
            (READY, "True"),
            (VALID, "True"),
            (RECONCILING, "False"),
            (STALLED, "False"),
        ] {
            let status = condition(&shop, kind).map_or("absent", |found| found.status.as_str());
            let fine = status == wanted || (wanted == "False" && status == "absent");
            assert!(fine, "{kind} is {status}, not {wanted}:\n    {}", story(&shop));
        }
        let proof = condition(&shop, READY).expect("there is one");
        assert!(
            !proof.reason.is_empty() && proof.message.contains("order"),
            "Ready does not speak of the test order: {proof:?}"
        );

        for wanted in [
            "postgres/catalog",
            "postgres/orders",
            "postgres/payments",
            "redis",
            "rabbitmq",
            "gateway",
            "service/user",
            "service/product",
            "service/order",
            "service/inventory",
            "service/payment",
            "service/recommendation",
            "service/books",
        ] {
            assert!(
                status.components.iter().any(|one| one.name == wanted),
                "no line about {wanted}"
            );
        }
        every_shard_names_a_primary_that_runs(&demo).await;
        assert_eq!(
            columns(&demo).await,
            ["READY", "SHARDS", "PRIMARIES", "SERVICES", "VERSION", "MESSAGE", "AGE"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_customer_can_order() {
    with_demo_shop(|demo| async move {
        let storefront = demo.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;
        eventually(SOON, "the order is confirmed", || customer.was_confirmed(order.id)).await;
    })
    .await;
}

async fn every_shard_names_a_primary_that_runs(demo: &Shop) {
    let shop = demo.look().await.expect("the shop is there");
    let pods = demo.pod_names("app.kubernetes.io/component=postgres").await;
    for component in shop
        .status
        .unwrap_or_default()
        .components
        .iter()
        .filter(|one| one.name.starts_with("postgres/"))
    {
        assert!(!component.shards.is_empty(), "{} has no line per shard", component.name);
        for shard in &component.shards {
            let primary = shard.primary.clone().unwrap_or_default();
            assert!(
                pods.contains(&primary),
                "{} shard {}: primary {primary:?} is no pod",
                component.name,
                shard.index
            );
        }
    }
}

/// The columns `kubectl get shop` prints, without `NAME` and those of `-o wide`; asked of the API server as a table.
async fn columns(demo: &Shop) -> Vec<String> {
    let crds: kube::Api<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> =
        kube::Api::all(demo.cluster.client.clone());
    let crd = crds
        .get("shopdeployments.shop-operator.io")
        .await
        .expect("the CRD is installed");
    let version = crd
        .spec
        .versions
        .into_iter()
        .find(|version| version.served)
        .expect("a served version");
    let columns = version.additional_printer_columns.unwrap_or_default();
    columns
        .into_iter()
        .filter(|column| column.priority.unwrap_or(0) == 0)
        .map(|column| column.name.to_uppercase())
        .collect()
}
