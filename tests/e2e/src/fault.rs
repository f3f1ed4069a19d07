//! Faults a promise injects through the Kubernetes API alone, so that they work on any cluster.

use anyhow::{Result, ensure};
use futures::FutureExt;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use std::panic::{AssertUnwindSafe, resume_unwind};

use crate::Cluster;
use crate::waiting::eventually;

/// A pod with this finalizer stays in the API after its containers have stopped, so its StatefulSet cannot replace it.
const HOLD: &str = "e2e.shop-operator.io/hold";

/// Pods that are gone and stay gone until they are let back.
#[must_use = "the pods stay away until let_back"]
pub struct HeldAway {
    pods: Api<Pod>,
    names: Vec<String>,
}

/// Stops pods of StatefulSets and keeps them from coming back.
pub async fn hold_away(cluster: &Cluster, namespace: &str, names: &[String]) -> HeldAway {
    let pods: Api<Pod> = cluster.api(namespace);
    for name in names {
        let hold = Patch::Merge(json!({"metadata": {"finalizers": [HOLD]}}));
        pods.patch(name, &PatchParams::default(), &hold)
            .await
            .expect("the pod to hold away is there");
        pods.delete(name, &DeleteParams::default().grace_period(1))
            .await
            .expect("the pod can be deleted");
    }
    let held = HeldAway {
        pods,
        names: names.to_vec(),
    };
    eventually(crate::SOON, format!("containers of {names:?} have stopped"), || {
        held.stopped()
    })
    .await;
    held
}

impl HeldAway {
    async fn stopped(&self) -> Result<()> {
        for name in &self.names {
            let pod = self.pods.get(name).await?;
            ensure!(!is_ready(&pod), "{name} is still ready");
        }
        Ok(())
    }

    pub async fn let_back(self) {
        for name in &self.names {
            release(&self.pods, name).await;
        }
    }
}

/// Lets back every pod a test left held in a namespace.
pub async fn let_all_back(cluster: &Cluster, namespace: &str) {
    let pods: Api<Pod> = cluster.api(namespace);
    for pod in pods
        .list(&ListParams::default())
        .await
        .map(|list| list.items)
        .unwrap_or_default()
    {
        if pod.finalizers().iter().any(|finalizer| finalizer == HOLD) {
            release(&pods, &pod.name_any()).await;
        }
    }
}

async fn release(pods: &Api<Pod>, name: &str) {
    let open = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let _ = pods.patch(name, &PatchParams::default(), &open).await;
}

/// Deletes pods without any grace, as when their node is lost.
pub async fn kill(cluster: &Cluster, namespace: &str, names: &[String]) {
    let pods: Api<Pod> = cluster.api(namespace);
    for name in names {
        let _ = pods.delete(name, &DeleteParams::default().grace_period(0)).await;
    }
}

/// Runs `act` while no node takes new pods; they take them again whatever happens.
pub async fn while_cordoned<T, F: Future<Output = T>>(cluster: &Cluster, act: impl FnOnce() -> F) -> T {
    cordon(cluster, true).await;
    let acted = AssertUnwindSafe(act()).catch_unwind().await;
    cordon(cluster, false).await;
    acted.unwrap_or_else(|panic| resume_unwind(panic))
}

async fn cordon(cluster: &Cluster, closed: bool) {
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    for node in nodes
        .list(&ListParams::default())
        .await
        .expect("nodes can be listed")
        .items
    {
        let patch = Patch::Merge(json!({"spec": {"unschedulable": closed}}));
        nodes
            .patch(&node.name_any(), &PatchParams::default(), &patch)
            .await
            .expect("a node can be cordoned");
    }
}

pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
}
