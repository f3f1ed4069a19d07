//! Both charts, with the images just built. In: image references. Out: an operator that is available.
//! What is installed already with the same charts and images is left alone.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;
use crate::failure::{self, Failure};
use crate::kube::{self, Kube};
use crate::place::Place;
use crate::user;
use crate::wait::{self, Look};

pub const NAMESPACE: &str = "shop-system";
pub const RELEASE: &str = "shop-operator";
const CRDS: &str = "shop-operator-crds";

/// Returns what to show: chart and version.
pub fn ensure(place: &Place, kube: &Kube, images: &BTreeMap<String, String>) -> Result<String> {
    let charts = place.checkout.join("charts");
    let digest = digest(&charts, images, &kube.identity()?)?;
    let marker = place.state().join("operator.digest");
    let same = std::fs::read_to_string(&marker).is_ok_and(|before| before == digest);
    if !(same && is_available(kube)?) {
        let log = place.log("operator");
        command::logged(&mut upgrade(kube, CRDS, &charts, &[]), &log)?;
        let values = format!("images={}", serde_json::to_string(images)?);
        command::logged(&mut upgrade(kube, RELEASE, &charts, &["--set-json", &values]), &log)?;
        wait_until_available(kube)?;
        user::make_folder(&place.state())?;
        std::fs::write(&marker, digest)?;
    }
    Ok(format!("chart {RELEASE} {}", chart_version(&charts.join(RELEASE))?))
}

fn upgrade(kube: &Kube, release: &str, charts: &Path, values: &[&str]) -> std::process::Command {
    let chart = charts.join(release).to_string_lossy().into_owned();
    let args = [
        "upgrade",
        "--install",
        release,
        &chart,
        "-n",
        NAMESPACE,
        "--create-namespace",
    ];
    kube.helm(&[&args[..], values].concat())
}

fn is_available(kube: &Kube) -> Result<bool> {
    let found = kube.get(NAMESPACE, "deployment", RELEASE)?;
    Ok(found.is_some_and(|found| unavailable_because(&found).is_none()))
}

/// Why a Deployment has not arrived at its present spec; None when it has.
fn unavailable_because(deployment: &Value) -> Option<String> {
    let status = &deployment["status"];
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    if status["observedGeneration"] != deployment["metadata"]["generation"] {
        return Some("not observed yet".into());
    }
    let (updated, available) = (status["updatedReplicas"].as_i64(), status["availableReplicas"].as_i64());
    let done = updated == Some(wanted) && available == Some(wanted) && status["replicas"].as_i64() == Some(wanted);
    (!done).then(|| format!("{} of {wanted} pods available", available.unwrap_or(0)))
}

fn wait_until_available(kube: &Kube) -> Result<()> {
    wait::until(
        "the operator",
        Duration::from_secs(120),
        Duration::from_millis(500),
        || {
            let Some(found) = kube.get(NAMESPACE, "deployment", RELEASE)? else {
                return Ok(Look::NotYet(format!("no Deployment {RELEASE} in {NAMESPACE}")));
            };
            Ok(unavailable_because(&found).map_or(Look::Ready(()), Look::NotYet))
        },
    )
    .map_err(|error| {
        let mut told = Failure::new(error.to_string());
        told.details = failure::explain(&error, 0);
        told.details
            .extend(kube::pod_problems(kube, NAMESPACE).unwrap_or_default());
        let logs = kube.run(&["-n", NAMESPACE, "logs", &format!("deployment/{RELEASE}"), "--tail=15"]);
        told.details
            .extend(logs.unwrap_or_default().lines().map(|line| format!("| {line}")));
        told.way_out(format!("kubectl -n {NAMESPACE} describe pods says more"))
            .into()
    })
}

fn chart_version(chart: &Path) -> Result<String> {
    let file = chart.join("Chart.yaml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let chart: Value = serde_saphyr::from_str(&text).with_context(|| format!("{} is not YAML", file.display()))?;
    Ok(chart["version"].as_str().unwrap_or("?").to_string())
}

fn digest(charts: &Path, images: &BTreeMap<String, String>, cluster: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (images, cluster).hash(&mut hasher);
    for file in files_below(charts) {
        let content = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        (file.to_string_lossy(), content).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(_) => files.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_old_replica_set_does_not_count_as_available() {
        let mut deployment = json!({"metadata": {"generation": 2}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}});
        assert!(unavailable_because(&deployment).is_some());
        deployment["status"]["observedGeneration"] = json!(2);
        assert_eq!(unavailable_because(&deployment), None);
        deployment["status"]["replicas"] = json!(2);
        assert!(unavailable_because(&deployment).is_some(), "the old pod is still there");
    }
}
