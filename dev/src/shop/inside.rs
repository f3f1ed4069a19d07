//! Where the demo shop's datastores answer from this machine, and its passwords. Read anew whenever asked: addresses are
//! those of pods and move with them. Passwords are handed on in the environment only, never in arguments or files.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::demo::{NAME, NAMESPACE};
use crate::kube::{self, Kube};

/// The shop's generated Secret, decoded.
pub fn secrets(kube: &Kube) -> Result<BTreeMap<String, String>> {
    let lines = r#"{{range $key, $value := .data}}{{$key}}={{$value | base64decode}}{{"\n"}}{{end}}"#;
    let template = format!("go-template={lines}");
    let text = kube.run(&[
        "-n",
        NAMESPACE,
        "get",
        "secret",
        &format!("{NAME}-secrets"),
        "-o",
        &template,
    ])?;
    Ok(pairs(&text))
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        line.split_once('=')
            .map(|(key, value)| (key.to_string(), value.to_string()))
    };
    text.lines().filter_map(pair).collect()
}

/// The primaries of all databases: `{"orders": [{"shard": 0, "host": …, "port": 5432}], "catalog": {…}, "payments": {…}}`.
pub fn databases(kube: &Kube, shard_map: &Value) -> Result<Value> {
    let shards = shard_map["shards"]
        .as_array()
        .context("the shard map lists no shards")?;
    let mut orders = Vec::new();
    for shard in shards {
        let index = &shard["index"];
        let (host, port) = primary(kube, &format!("{NAME}-orders-{index}"))?;
        orders.push(json!({"shard": index, "host": host, "port": port}));
    }
    let single = |database: &str| -> Result<Value> {
        let (host, port) = primary(kube, &format!("{NAME}-{database}-0"))?;
        Ok(json!({"host": host, "port": port}))
    };
    Ok(json!({"orders": orders, "catalog": single("catalog")?, "payments": single("payments")?}))
}

/// Patroni keeps the primary's address in the Endpoints of the shard's Service.
fn primary(kube: &Kube, service: &str) -> Result<(String, u64)> {
    let endpoints = kube.get(NAMESPACE, "endpoints", service)?;
    let found = endpoints.as_ref().and_then(|endpoints| {
        let subset = &endpoints["subsets"][0];
        let host = subset["addresses"][0]["ip"].as_str()?;
        Some((host.to_string(), subset["ports"][0]["port"].as_u64()?))
    });
    found.with_context(|| format!("{service} has no primary"))
}

/// The published map, as it is.
pub fn shard_map(kube: &Kube) -> Result<Value> {
    let name = format!("{NAME}-shard-map");
    let published = kube
        .get(NAMESPACE, "configmap", &name)?
        .with_context(|| format!("no ConfigMap {name}"))?;
    let text = published["data"]["shard-map.json"]
        .as_str()
        .context("the shard map has no content")?;
    serde_json::from_str(text).context("the shard map is not JSON")
}

/// Addresses of the ready pods of a component, such as `redis`.
pub fn addresses(kube: &Kube, component: &str) -> Result<Vec<String>> {
    let label = format!("app.kubernetes.io/instance={NAME},app.kubernetes.io/component={component}");
    let pods = kube.items(&["-n", NAMESPACE, "get", "pods", "-l", &label])?;
    let ready = pods.iter().filter(|pod| kube::is_true(pod, "Ready"));
    Ok(ready
        .filter_map(|pod| Some(pod["status"]["podIP"].as_str()?.to_string()))
        .collect())
}

pub fn write(path: &Path, value: &Value) -> Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(value)?).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_may_hold_an_equals_sign() {
        let read = super::pairs("token-seed=AAAA=\nb=c\n\n");
        assert_eq!(
            (read["token-seed"].as_str(), read["b"].as_str(), read.len()),
            ("AAAA=", "c", 2)
        );
    }
}
