//! What bears a name the shop wants, but is not the shop's, is not touched; the condition names it. And a shop goes with
//! its namespace, protected or not: whoever deletes the namespace has decided about all in it.

use anyhow::ensure;
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::status::story;
use shop_e2e::{PATIENCE, SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_object_of_somebody_else_is_named_and_not_touched() {
    with_tiny_shop(
        "others",
        json!({"services": null, "deletionProtection": true}),
        |shop| async move {
            let services: Api<Service> = shop.cluster.api(shop.namespace());
            let mine = json!({"metadata": {"name": "tiny-gateway"}, "spec": {"ports": [{"port": 4444}]}});
            let mine: Service = serde_json::from_value(mine).expect("a Service");
            let made = services.create(&PostParams::default(), &mine).await;
            let made = made.expect("it can be made").metadata;
            shop.create().await;
            eventually(PATIENCE, "the status names it", || async {
                let seen = shop.look().await?;
                let status = serde_json::to_string(&seen.status)?;
                let named = status.contains("Service tiny-gateway: exists already and belongs to no shop");
                ensure!(named, "{}", story(&seen));
                anyhow::Ok(())
            })
            .await;
            let now = services.get("tiny-gateway").await.expect("still there").metadata;
            assert_eq!((now.uid, now.resource_version), (made.uid, made.resource_version));
            let removed = services.delete("tiny-gateway", &DeleteParams::default()).await;
            removed.expect("it can be deleted");
            shop.settles().await;

            let namespaces: Api<Namespace> = Api::all(shop.cluster.client.clone());
            let deleted = namespaces.delete(shop.namespace(), &DeleteParams::default()).await;
            deleted.expect("the namespace can be deleted");
            eventually(SOON, "the namespace is gone with the protected shop", || async {
                let left = namespaces.get_opt(shop.namespace()).await?;
                ensure!(left.is_none(), "{:?}", left.and_then(|left| left.status));
                anyhow::Ok(())
            })
            .await;
        },
    )
    .await;
}
