//! The cluster under test and the few questions every promise asks it.

use anyhow::{Result, ensure};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Namespace, Node, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use serde_json::json;
use shop_api::ShopDeployment;

use crate::waiting::{eventually, not_yet};

#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
}

impl Cluster {
    /// The cluster `KUBECONFIG` names.
    pub async fn connect() -> Self {
        let client = Client::try_default()
            .await
            .expect("KUBECONFIG names a cluster (see ./shop env)");
        client
            .apiserver_version()
            .await
            .expect("the cluster of KUBECONFIG answers (start one with ./shop up)");
        Self { client }
    }

    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// ShopDeployments as plain JSON, for what the typed one could not even express.
    pub fn raw_shops(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(
            self.client.clone(),
            namespace,
            &ApiResource::erase::<ShopDeployment>(&()),
        )
    }

    /// Every kind the operator may make, as it is reported in failures.
    pub fn made_kinds() -> Vec<ApiResource> {
        vec![
            ApiResource::erase::<ConfigMap>(&()),
            ApiResource::erase::<Secret>(&()),
            ApiResource::erase::<Service>(&()),
            ApiResource::erase::<ServiceAccount>(&()),
            ApiResource::erase::<Role>(&()),
            ApiResource::erase::<RoleBinding>(&()),
            ApiResource::erase::<PodDisruptionBudget>(&()),
            ApiResource::erase::<HorizontalPodAutoscaler>(&()),
            ApiResource::erase::<StatefulSet>(&()),
            ApiResource::erase::<Deployment>(&()),
        ]
    }

    /// What lies beside them: written by Kubernetes, by Patroni or by the kubelet.
    pub fn side_kinds() -> Vec<ApiResource> {
        vec![
            ApiResource::erase::<PersistentVolumeClaim>(&()),
            ApiResource::erase::<Pod>(&()),
            ApiResource::erase::<Endpoints>(&()),
        ]
    }

    pub async fn list(&self, kind: &ApiResource, namespace: &str, selector: &str) -> Result<Vec<DynamicObject>> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, kind);
        Ok(api.list(&ListParams::default().labels(selector)).await?.items)
    }

    pub async fn node_address(&self) -> Result<String> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let list = nodes.list(&ListParams::default()).await?;
        let addresses = list
            .items
            .iter()
            .filter_map(|node| node.status.as_ref()?.addresses.as_ref())
            .flatten();
        let internal = addresses
            .filter(|address| address.type_ == "InternalIP")
            .map(|address| address.address.clone());
        internal
            .into_iter()
            .next()
            .ok_or_else(|| not_yet("no node has an InternalIP"))
    }

    /// A namespace that admits restricted pods only: the shop has to live with that.
    pub async fn create_namespace(&self, name: &str) {
        self.drop_namespace(name).await;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let labels =
            json!({"app.kubernetes.io/part-of": "shop-e2e", "pod-security.kubernetes.io/enforce": "restricted"});
        let wanted =
            serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}})).expect("a namespace");
        namespaces
            .create(&PostParams::default(), &wanted)
            .await
            .expect("the test's namespace can be made");
    }

    /// Removes the namespace with all its shops, held pods and claims, and waits until it is gone.
    pub async fn drop_namespace(&self, name: &str) {
        self.leave_namespace(name).await;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        eventually(crate::PATIENCE, format!("namespace {name} is gone"), || async {
            self.release(name).await;
            match namespaces.get_opt(name).await? {
                None => Ok(()),
                Some(namespace) => Err(not_yet(format!("{:?}", namespace.status.unwrap_or_default()))),
            }
        })
        .await;
    }

    /// The same without waiting for the end: the next promise plays elsewhere.
    pub async fn leave_namespace(&self, name: &str) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        if matches!(namespaces.get_opt(name).await, Ok(Some(_))) {
            self.release(name).await;
            let _ = namespaces.delete(name, &DeleteParams::default()).await;
        }
    }

    /// `Ok` when no namespace of an earlier promise is left.
    pub async fn is_tidy(&self) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let tests = ListParams::default().labels("app.kubernetes.io/part-of=shop-e2e");
        let left: Vec<String> = namespaces
            .list(&tests)
            .await?
            .iter()
            .map(|one| one.name_any())
            .collect();
        ensure!(left.is_empty(), "still there: {left:?}");
        Ok(())
    }

    /// Takes away what would keep a namespace: the protection of its shops and the finalizers tests put on pods.
    async fn release(&self, namespace: &str) {
        let shops: Api<ShopDeployment> = self.api(namespace);
        let open = Patch::Merge(json!({"spec": {"deletionProtection": false}}));
        for shop in shops
            .list(&ListParams::default())
            .await
            .map(|list| list.items)
            .unwrap_or_default()
        {
            if shop.spec.deletion_protection {
                let _ = shops.patch(&shop.name_any(), &PatchParams::default(), &open).await;
            }
        }
        crate::fault::let_all_back(self, namespace).await;
    }
}
