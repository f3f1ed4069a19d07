//! Replicas follow the spec up and down; where an autoscaler owns them, the operator keeps its hands off.

use anyhow::ensure;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{PATIENCE, SOON, Shop, eventually};

const PRODUCT: &str = "app.kubernetes.io/component=service,app.kubernetes.io/name=product";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn replicas_follow_the_spec() {
    with_demo_shop(|demo| async move {
        for wanted in [1, 6] {
            demo.edit(json!({"services": {"product": {"replicas": wanted}}})).await;
            eventually(PATIENCE, format!("{wanted} pods of product"), || async {
                let (all, ready) = (demo.pods(PRODUCT).await?.len(), demo.ready_pods(PRODUCT).await?.len());
                ensure!((all, ready) == (wanted, wanted), "{ready} ready of {all}");
                anyhow::Ok(())
            })
            .await;
            demo.becomes_ready().await;
        }
        let pods = demo.ready_pods(PRODUCT).await.expect("pods");
        let nodes: Api<Node> = Api::all(demo.cluster.client.clone());
        let nodes = nodes.list(&ListParams::default()).await.expect("nodes").items;
        let on = |node: &Node| {
            let its =
                |pod: &&Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) == node.metadata.name.as_ref();
            pods.iter().filter(its).count()
        };
        let counts: Vec<usize> = nodes.iter().map(on).collect();
        let (most, least) = (counts.iter().max(), counts.iter().min());
        assert!(
            most <= least.map(|least| least + 1).as_ref(),
            "six pods are spread {counts:?}: a lost node costs too many of them"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_autoscalers_replicas_are_left_alone() {
    with_demo_shop(|demo| async move {
        demo.edit(json!({"services": {"product": {"replicas": 3}}})).await;
        eventually(PATIENCE, "three pods of product", || async {
            let ready = demo.ready_pods(PRODUCT).await?.len();
            ensure!(ready == 3, "{ready} are ready");
            anyhow::Ok(())
        })
        .await;
        let autoscaling = json!({"minReplicas": 3, "maxReplicas": 4, "targetCpuUtilization": 90});
        demo.edit(json!({"services": {"product": {"replicas": null, "autoscaling": autoscaling}}}))
            .await;
        let scalers: Api<HorizontalPodAutoscaler> = demo.cluster.api(demo.namespace());
        eventually(SOON, "product has an autoscaler", || scalers.get("demo-product")).await;
        eventually(SOON, "the operator has let go of the replicas", || async {
            ensure!(!owns_replicas(&demo).await?, "it holds them");
            anyhow::Ok(())
        })
        .await;
        let kept = replicas(&demo).await.expect("the Deployment");
        assert!(kept >= 3, "{kept} replicas are left of 3 until the autoscaler looks");

        // Another hand sets the count, as an autoscaler does; an edit elsewhere makes the operator plan once more.
        let deployments: Api<Deployment> = demo.cluster.api(demo.namespace());
        let four = Patch::Merge(json!({"spec": {"replicas": 4}}));
        deployments
            .patch_scale("demo-product", &PatchParams::default(), &four)
            .await
            .expect("scaled");
        demo.edit(json!({"services": {"product": {"env": {"E2E_MARK": "replanned"}}}}))
            .await;
        eventually(
            SOON,
            "the operator has applied Deployment demo-product once more",
            || async {
                let template = deployments.get("demo-product").await?.spec.map(|spec| spec.template);
                let text = serde_json::to_string(&template)?;
                ensure!(text.contains("E2E_MARK"), "the environment has no E2E_MARK yet");
                anyhow::Ok(())
            },
        )
        .await;
        let left = replicas(&demo).await.expect("the Deployment");
        assert!(left >= 3, "the operator wrote {left} over the autoscaler's replicas");
        let owns = owns_replicas(&demo).await.expect("the Deployment");
        assert!(!owns, "the operator owns spec.replicas beside an autoscaler");
    })
    .await;
}

async fn replicas(shop: &Shop) -> anyhow::Result<i32> {
    let deployments: Api<Deployment> = shop.cluster.api(shop.namespace());
    Ok(deployments
        .get("demo-product")
        .await?
        .spec
        .and_then(|spec| spec.replicas)
        .unwrap_or(1))
}

async fn owns_replicas(shop: &Shop) -> anyhow::Result<bool> {
    let deployments: Api<Deployment> = shop.cluster.api(shop.namespace());
    let managers = deployments.get("demo-product").await?.metadata.managed_fields;
    let own = |entry: &ManagedFieldsEntry| entry.manager.as_deref() == Some("shop-operator");
    let fields = managers
        .iter()
        .flatten()
        .filter(|entry| own(entry))
        .map(|entry| &entry.fields_v1);
    Ok(serde_json::to_string(&fields.collect::<Vec<_>>())?.contains("\"f:replicas\""))
}
