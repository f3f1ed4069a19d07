//! The operator from outside: its pods, killed or rolled; its release, upgraded; its metrics.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

use crate::fault::{is_ready, kill};
use crate::inside::address_of;
use crate::waiting::{eventually, not_yet};
use crate::{Cluster, PATIENCE};

const SELECTOR: &str = "app.kubernetes.io/name=shop-operator";

pub struct Operator {
    cluster: Cluster,
    deployment: Deployment,
}

impl Operator {
    pub async fn of(cluster: &Cluster) -> Self {
        let all: Api<Deployment> = Api::all(cluster.client.clone());
        let found = all
            .list(&ListParams::default().labels(SELECTOR))
            .await
            .expect("deployments can be listed")
            .items;
        let deployment = found
            .into_iter()
            .next()
            .expect("the operator is installed (a Deployment with its name label)");
        Self {
            cluster: cluster.clone(),
            deployment,
        }
    }

    fn namespace(&self) -> String {
        self.deployment.namespace().expect("a Deployment has a namespace")
    }

    async fn pods(&self) -> Result<Vec<Pod>> {
        let pods: Api<Pod> = self.cluster.api(&self.namespace());
        Ok(pods.list(&ListParams::default().labels(SELECTOR)).await?.items)
    }

    /// Force-deletes every pod of it, as when its node is lost.
    pub async fn kill(&self) {
        let names: Vec<String> = self
            .pods()
            .await
            .expect("pods")
            .iter()
            .map(|pod| pod.name_any())
            .collect();
        kill(&self.cluster, &self.namespace(), &names).await;
    }

    /// What `kubectl rollout restart` does, waited for.
    pub async fn roll(&self) {
        let deployments: Api<Deployment> = self.cluster.api(&self.namespace());
        let stamp = uuid::Uuid::new_v4().to_string();
        let patch =
            json!({"spec": {"template": {"metadata": {"annotations": {"e2e.shop-operator.io/rolled": stamp}}}}});
        let name = self.deployment.name_any();
        deployments
            .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("the operator rolls");
        self.settles().await;
    }

    /// `helm upgrade` of the release it was installed by, with a value that changes nothing of what it does.
    pub async fn upgrade(&self) {
        let annotations = self.deployment.annotations();
        let release = annotations
            .get("meta.helm.sh/release-name")
            .expect("the operator was installed by helm");
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let chart = checkout.join("charts/shop-operator");
        let stamp = format!("podAnnotations.upgraded={}", uuid::Uuid::new_v4());
        let namespace = self.namespace();
        let mut helm = tokio::process::Command::new("helm");
        helm.args([
            "upgrade",
            release,
            "--namespace",
            &namespace,
            "--reuse-values",
            "--set-string",
            &stamp,
        ])
        .arg(chart);
        let output = helm.output().await.expect("helm is on PATH");
        assert!(
            output.status.success(),
            "helm upgrade: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.settles().await;
    }

    /// Every pod is of the newest template and ready, and one of them leads.
    pub async fn settles(&self) {
        let deployments: Api<Deployment> = self.cluster.api(&self.namespace());
        eventually(PATIENCE, "the operator is rolled out", || async {
            let now = deployments.get(&self.deployment.name_any()).await?;
            let (wanted, status) = (
                now.spec.and_then(|spec| spec.replicas).unwrap_or(1),
                now.status.unwrap_or_default(),
            );
            let counts = (
                status.updated_replicas.unwrap_or(0),
                status.ready_replicas.unwrap_or(0),
                status.replicas.unwrap_or(0),
            );
            ensure!(
                status.observed_generation == now.metadata.generation,
                "the Deployment's status is old"
            );
            ensure!(
                counts == (wanted, wanted, wanted),
                "updated, ready, all: {counts:?} of {wanted}"
            );
            self.leader().await.map(|_| ())
        })
        .await;
    }

    /// The pod that holds the lease.
    pub async fn leader(&self) -> Result<Pod> {
        let leases: Api<Lease> = self.cluster.api(&self.namespace());
        let holders: Vec<String> = leases
            .list(&ListParams::default())
            .await?
            .items
            .into_iter()
            .filter_map(|lease| lease.spec?.holder_identity)
            .collect();
        let pods = self.pods().await?;
        let leader = pods
            .into_iter()
            .filter(is_ready)
            .find(|pod| holders.iter().any(|holder| holder.contains(&pod.name_any())));
        leader.ok_or_else(|| not_yet(format!("no ready operator pod among the lease holders {holders:?}")))
    }

    /// Its metrics: `name{labels}` → value.
    pub async fn metrics(&self) -> Result<BTreeMap<String, f64>> {
        let address = address_of(&self.leader().await?).context("the leader has no address")?;
        let url = format!("http://{address}:{}/metrics", shop_contract::port::OPERATOR_ADMIN);
        let text = reqwest::get(url).await?.error_for_status()?.text().await?;
        Ok(parse(&text))
    }
}

/// Prometheus' text format, as far as plain samples go.
pub fn parse(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn samples_are_read_and_comments_are_not() {
        let read = super::parse("# HELP a b\na_total{verb=\"get\"} 3\nb 1.5e3\n");
        assert_eq!(
            read.into_iter().collect::<Vec<_>>(),
            [("a_total{verb=\"get\"}".to_owned(), 3.0), ("b".to_owned(), 1500.0)]
        );
    }
}
