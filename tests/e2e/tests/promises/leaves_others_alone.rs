//! What bears a name the shop wants, but is not the shop's, is not touched; the condition names it. And a shop goes with
//! its namespace, protected or not: whoever deletes the namespace has decided about all in it.

use anyhow::ensure;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::status::story;
use shop_e2e::{PATIENCE, SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_object_of_somebody_else_is_named_and_not_touched() {
    with_tiny_shop("others", json!({"deletionProtection": true}), |shop| async move {
        let maps: Api<ConfigMap> = shop.cluster.api(shop.namespace());
        let mine = json!({"metadata": {"name": "tiny-gateway"}, "data": {"mine": "yes"}});
        let mine: ConfigMap = serde_json::from_value(mine).expect("a ConfigMap");
        let made = maps
            .create(&PostParams::default(), &mine)
            .await
            .expect("it can be made");
        shop.create().await;
        eventually(PATIENCE, "the status names it", || async {
            let seen = shop.look().await?;
            let status = serde_json::to_string(&seen.status)?;
            let named = status.contains("ConfigMap tiny-gateway exists already");
            ensure!(named, "{}", story(&seen));
            anyhow::Ok(())
        })
        .await;
        let now = maps.get("tiny-gateway").await.expect("it is still there");
        assert_eq!(now.metadata.resource_version, made.metadata.resource_version);
        maps.delete("tiny-gateway", &DeleteParams::default())
            .await
            .expect("it can be deleted");
        shop.becomes_ready().await;

        let namespaces: Api<Namespace> = Api::all(shop.cluster.client.clone());
        let deleted = namespaces.delete(shop.namespace(), &DeleteParams::default()).await;
        deleted.expect("the namespace can be deleted");
        eventually(SOON, "the namespace is gone with the protected shop", || async {
            let left = namespaces.get_opt(shop.namespace()).await?;
            ensure!(left.is_none(), "{:?}", left.and_then(|left| left.status));
            anyhow::Ok(())
        })
        .await;
    })
    .await;
}
