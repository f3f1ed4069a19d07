//! What the operator made and someone deleted or edited by hand is put right, and nothing else is disturbed.

use anyhow::ensure;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use shop_contract::event::ORDER_WORK;
use shop_e2e::inside::Broker;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{PATIENCE, SOON, Shop, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn deleted_children_come_back() {
    with_demo_shop(|demo| async move {
        for (kind, name) in [
            (ApiResource::erase::<Service>(&()), "demo-product"),
            (ApiResource::erase::<ConfigMap>(&()), "demo-shard-map"),
            (ApiResource::erase::<Deployment>(&()), "demo-order-work"),
            (ApiResource::erase::<Deployment>(&()), "demo-payment-work"),
            (ApiResource::erase::<PodDisruptionBudget>(&()), "demo-redis"),
            (ApiResource::erase::<StatefulSet>(&()), "demo-payments-0"),
        ] {
            comes_back(&demo, &kind, name).await;
        }
        demo.becomes_ready().await;
    })
    .await;
}

async fn comes_back(shop: &Shop, kind: &ApiResource, name: &str) {
    let api: Api<DynamicObject> = Api::namespaced_with(shop.cluster.client.clone(), shop.namespace(), kind);
    let before = api
        .get(name)
        .await
        .unwrap_or_else(|error| panic!("{}/{name} is there: {error}", kind.kind));
    api.delete(name, &DeleteParams::background())
        .await
        .expect("it can be deleted");
    eventually(SOON, format!("{}/{name} is made anew", kind.kind), || async {
        let now = api.get(name).await?;
        ensure!(now.metadata.uid != before.metadata.uid, "still the old one");
        ensure!(
            now.metadata.owner_references == before.metadata.owner_references,
            "other owner: {:?}",
            now.metadata.owner_references
        );
        anyhow::Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn hand_edits_are_put_right() {
    with_demo_shop(|demo| async move {
        let service = ApiResource::erase::<Service>(&());
        let deployment = ApiResource::erase::<Deployment>(&());
        let map = ApiResource::erase::<ConfigMap>(&());
        let component = "/metadata/labels/app.kubernetes.io~1component";
        let port = "/spec/ports/0/targetPort";
        let image = "/spec/template/spec/containers/0/image";
        let document = "/data/shard-map.json";

        let label = json!({"metadata": {"labels": {"app.kubernetes.io/component": "mine"}}});
        is_put_right(&demo, &service, "demo-user", component, label).await;
        let ports = json!({"spec": {"ports": [{"port": first_port(&demo, "demo-product").await, "targetPort": 9}]}});
        is_put_right(&demo, &service, "demo-product", port, ports).await;
        let other = json!({"spec": {"template": {"spec": {"containers": [{"name": container(&demo, "demo-user").await, "image": "nobody/edited:1"}]}}}});
        is_put_right(&demo, &deployment, "demo-user", image, other).await;
        is_put_right(&demo, &map, "demo-shard-map", document, json!({"data": {"shard-map.json": "{}"}})).await;
        demo.becomes_ready().await;
    })
    .await;
}

async fn first_port(shop: &Shop, service: &str) -> i32 {
    let services: Api<Service> = shop.cluster.api(shop.namespace());
    let spec = services.get(service).await.expect("the Service").spec.expect("a spec");
    spec.ports.expect("ports").remove(0).port
}

async fn container(shop: &Shop, deployment: &str) -> String {
    let deployments: Api<Deployment> = shop.cluster.api(shop.namespace());
    let template = deployments
        .get(deployment)
        .await
        .expect("the Deployment")
        .spec
        .expect("a spec")
        .template;
    template.spec.expect("a pod spec").containers.remove(0).name
}

/// Edits as `kubectl edit` would and waits until the value at `pointer` is what it was.
async fn is_put_right(shop: &Shop, kind: &ApiResource, name: &str, pointer: &str, edit: Value) {
    let api: Api<DynamicObject> = Api::namespaced_with(shop.cluster.client.clone(), shop.namespace(), kind);
    let read = |object: DynamicObject| serde_json::to_value(object).expect("JSON").pointer(pointer).cloned();
    let before = read(api.get(name).await.expect("it is there"));
    assert!(before.is_some(), "{}/{name} has nothing at {pointer}", kind.kind);
    let manager = PatchParams {
        field_manager: Some("kubectl-edit".into()),
        ..PatchParams::default()
    };
    let edited = api
        .patch(name, &manager, &Patch::Strategic(edit))
        .await
        .expect("the edit is admitted");
    assert_ne!(
        read(edited),
        before,
        "{}/{name}: the edit changed nothing at {pointer}",
        kind.kind
    );
    eventually(SOON, format!("{}/{name} {pointer} is put right", kind.kind), || async {
        let now = read(api.get(name).await?);
        ensure!(now == before, "{now:?} instead of {before:?}");
        anyhow::Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_deleted_queue_comes_back() {
    with_demo_shop(|demo| async move {
        let broker = Broker::of(&demo).await.expect("the management interface");
        broker
            .has_queue(ORDER_WORK.name)
            .await
            .expect("the queue is there before");
        broker.delete_queue(ORDER_WORK.name).await.expect("it can be deleted");
        eventually(PATIENCE, "the queue is there again", || {
            broker.has_queue(ORDER_WORK.name)
        })
        .await;
        let storefront = demo.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;
        eventually(SOON, "workers confirm it", || customer.was_confirmed(order.id)).await;
    })
    .await;
}
