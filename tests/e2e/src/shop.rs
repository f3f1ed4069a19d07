//! A shop as its user sees it: the resource, its status, its objects. Edits are merge patches of the spec, as
//! `kubectl patch` sends them.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use shop_api::ShopDeployment;
use shop_api::condition::{Condition, READY, RECONCILING, STALLED};

use crate::fault::is_ready;
use crate::spec::{document, merge, tiny_spec};
use crate::status::{condition, story};
use crate::waiting::{eventually, not_yet};
use crate::{Cluster, PATIENCE, SOON, Storefront, inside};

#[derive(Clone)]
pub struct Shop {
    pub cluster: Cluster,
    pub name: String,
    namespace: String,
    /// What `create` sends.
    spec: Value,
}

impl Shop {
    /// The shop `./shop up` makes.
    pub fn demo(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.clone(),
            name: "demo".into(),
            namespace: "default".into(),
            spec: Value::Null,
        }
    }

    /// One pod per tier; `change` is merged into the spec.
    pub fn tiny(cluster: &Cluster, namespace: &str, change: Value) -> Self {
        let mut spec = tiny_spec();
        merge(&mut spec, change);
        Self {
            cluster: cluster.clone(),
            name: "tiny".into(),
            namespace: namespace.into(),
            spec,
        }
    }

    /// A tiny shop of any name; also a handle on one that exists.
    pub fn named(cluster: &Cluster, namespace: &str, name: &str) -> Self {
        Self {
            cluster: cluster.clone(),
            name: name.into(),
            namespace: namespace.into(),
            spec: tiny_spec(),
        }
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn api(&self) -> Api<ShopDeployment> {
        self.cluster.api(&self.namespace)
    }

    pub async fn create(&self) {
        let api: Api<DynamicObject> = self.cluster.raw_shops(&self.namespace);
        let wish = document(&self.name, self.spec.clone());
        api.create(&PostParams::default(), &wish)
            .await
            .expect("the shop is admitted");
    }

    pub async fn look(&self) -> Result<ShopDeployment> {
        self.api()
            .get(&self.name)
            .await
            .with_context(|| format!("shop {}/{}", self.namespace, self.name))
    }

    /// The spec exactly as stored, to put it back later.
    pub async fn raw_spec(&self) -> Value {
        let shop = self
            .cluster
            .raw_shops(&self.namespace)
            .get(&self.name)
            .await
            .expect("the shop is there");
        shop.data.get("spec").cloned().unwrap_or_else(|| json!({}))
    }

    /// Makes the spec what it was, fields added since included.
    pub async fn put_back(&self, spec: Value) {
        let api = self.cluster.raw_shops(&self.namespace);
        eventually(crate::SOON, "the spec is put back", || async {
            let mut shop = api.get(&self.name).await?;
            if shop.data.get("spec") != Some(&spec) {
                shop.data["spec"] = spec.clone();
                api.replace(&self.name, &PostParams::default(), &shop).await?;
            }
            anyhow::Ok(())
        })
        .await;
    }

    /// Merges a change into the spec and returns the generation it made.
    pub async fn edit(&self, change: Value) -> i64 {
        let patch = Patch::Merge(json!({ "spec": change }));
        let edited = self
            .api()
            .patch(&self.name, &PatchParams::default(), &patch)
            .await
            .expect("the edit is admitted");
        edited.metadata.generation.expect("the API server counts generations")
    }

    /// Asks for deletion; the error is the API server's answer.
    pub async fn delete(&self) -> Result<(), kube::Error> {
        self.api()
            .delete(&self.name, &DeleteParams::default())
            .await
            .map(|_| ())
    }

    pub async fn is_gone(&self) -> Result<()> {
        match self.api().get_opt(&self.name).await? {
            None => Ok(()),
            Some(shop) => Err(not_yet(format!(
                "still there, finalizers {:?}; {}",
                shop.finalizers(),
                story(&shop)
            ))),
        }
    }

    /// `Ok` when Ready is true of the newest spec.
    pub async fn is_ready(&self) -> Result<ShopDeployment> {
        let shop = self.look().await?;
        let current = shop.status.as_ref().and_then(|status| status.observed_generation) == shop.metadata.generation;
        let ready = condition(&shop, READY).is_some_and(|ready| ready.status == "True");
        ensure!(current && ready, "{}", story(&shop));
        Ok(shop)
    }

    pub async fn becomes_ready(&self) -> ShopDeployment {
        let what = format!("shop {}/{} is Ready", self.namespace, self.name);
        eventually(PATIENCE, what, || self.is_ready()).await
    }

    /// `Ok` when it is Ready and nothing is left to do or in the way.
    pub async fn is_settled(&self) -> Result<ShopDeployment> {
        let shop = self.is_ready().await?;
        let busy = [RECONCILING, STALLED]
            .iter()
            .any(|kind| condition(&shop, kind).is_some_and(|one| one.status == "True"));
        ensure!(!busy, "{}", story(&shop));
        Ok(shop)
    }

    pub async fn settles(&self) -> ShopDeployment {
        let what = format!("shop {}/{} is Ready and settled", self.namespace, self.name);
        eventually(PATIENCE, what, || self.is_settled()).await
    }

    /// Waits until a condition has a status and its reason or message contains one of `words`; returns it.
    pub async fn says(&self, kind: &str, status: &str, words: &[&str]) -> Condition {
        let what = format!("{}: {kind}={status} naming one of {words:?}", self.name);
        eventually(PATIENCE, what, || async {
            let shop = self.look().await?;
            let found = condition(&shop, kind).with_context(|| format!("no condition {kind}"))?;
            let text = format!("{} {}", found.reason, found.message);
            let named = words.is_empty() || words.iter().any(|word| text.contains(word));
            ensure!(found.status == status && named, "{}", story(&shop));
            anyhow::Ok(found.clone())
        })
        .await
    }

    pub async fn pods(&self, selector: &str) -> Result<Vec<Pod>> {
        let selector = format!("app.kubernetes.io/instance={},{selector}", self.name);
        let pods: Api<Pod> = self.cluster.api(&self.namespace);
        Ok(pods
            .list(&ListParams::default().labels(selector.trim_end_matches(',')))
            .await?
            .items)
    }

    /// Names of the pods of a component, such as `redis`.
    pub async fn pod_names(&self, selector: &str) -> Vec<String> {
        self.pods(selector)
            .await
            .expect("pods can be listed")
            .iter()
            .map(|pod| pod.name_any())
            .collect()
    }

    pub async fn ready_pods(&self, selector: &str) -> Result<Vec<Pod>> {
        Ok(self.pods(selector).await?.into_iter().filter(is_ready).collect())
    }

    /// A password of the shop's generated Secret.
    pub async fn secret(&self, key: &str) -> Result<String> {
        let secrets: Api<Secret> = self.cluster.api(&self.namespace);
        let name = format!("{}-secrets", self.name);
        let data = secrets.get(&name).await?.data.unwrap_or_default();
        let value = data
            .get(key)
            .with_context(|| format!("Secret {name} has no key {key}"))?;
        Ok(String::from_utf8(value.0.clone())?)
    }

    /// Makes the generated Secret one of an older operator, which did not know this key.
    pub async fn forget_secret(&self, key: &str) {
        let secrets: Api<Secret> = self.cluster.api(&self.namespace);
        let without = Patch::Merge(json!({"data": {key: null}}));
        let name = format!("{}-secrets", self.name);
        secrets
            .patch(&name, &PatchParams::default(), &without)
            .await
            .expect("the Secret can be edited");
    }

    /// The shop's door, with something in the catalogue to order.
    pub async fn storefront(&self) -> Storefront {
        let what = format!("shop {} has a door and something to sell", self.name);
        eventually(SOON, what, || async {
            inside::stock(self, inside::PRODUCT, 100_000).await?;
            self.door().await
        })
        .await
    }

    /// The gateway as a customer outside the cluster reaches it: a node's port, or else a gateway pod.
    pub async fn door(&self) -> Result<Storefront> {
        let services: Api<Service> = self.cluster.api(&self.namespace);
        let service = services.get(&format!("{}-gateway", self.name)).await?;
        let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
        if let Some(port) = ports.iter().find_map(|port| port.node_port) {
            return Ok(Storefront::at(format!(
                "http://{}:{port}",
                self.cluster.node_address().await?
            )));
        }
        let pods = self.ready_pods("app.kubernetes.io/component=gateway").await?;
        let address = pods
            .iter()
            .find_map(|pod| pod.status.as_ref()?.pod_ip.clone())
            .context("no gateway pod is ready")?;
        Ok(Storefront::at(format!(
            "http://{address}:{}",
            shop_contract::port::GATEWAY
        )))
    }

    /// The last words of a failed promise: the shop's conditions and the pods that are not ready.
    pub async fn print_state(&self) {
        match self.look().await {
            Ok(shop) => println!("{}: {}", self.name, story(&shop)),
            Err(error) => println!("{error:#}"),
        }
        for pod in self
            .pods("")
            .await
            .unwrap_or_default()
            .iter()
            .filter(|pod| !is_ready(pod))
        {
            let statuses = pod
                .status
                .as_ref()
                .and_then(|status| status.container_statuses.clone())
                .unwrap_or_default();
            let states: Vec<String> = statuses
                .iter()
                .filter_map(|one| Some(format!("{:?}", one.state.as_ref()?)))
                .collect();
            println!("not ready: {} {}", pod.name_any(), states.join(" "));
        }
    }
}
