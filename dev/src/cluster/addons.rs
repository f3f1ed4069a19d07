//! DNS, metrics and volumes of the embedded cluster: manifests with our images, applied when something changed.
//! In: image references and paths. Out: applied objects, all Deployments available.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::addon_images::AddonImages;
use super::pki;
use crate::failure::Failure;
use crate::kube::{self, Kube};
use crate::place::Place;
use crate::wait::{self, Look};

const MANIFESTS: &[&str] = &[
    include_str!("manifests/coredns.yaml"),
    include_str!("manifests/metrics-server.yaml"),
    include_str!("manifests/local-path.yaml"),
];

const DEPLOYMENTS: &[(&str, &str)] = &[
    ("kube-system", "coredns"),
    ("kube-system", "metrics-server"),
    ("local-path-storage", "local-path-provisioner"),
];

/// Applies them unless the very same were applied to this cluster before.
pub fn ensure(place: &Place, kube: &Kube, images: &AddonImages) -> Result<()> {
    let objects = objects(place, images)?;
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(&objects)?.hash(&mut hasher);
    let digest = format!("{:016x}", hasher.finish());
    let marker = place.state().join("addons.digest");
    if std::fs::read_to_string(&marker).is_ok_and(|before| before == digest) {
        return Ok(());
    }
    // The API server accepts no namespaced object before its namespace.
    let (first, rest): (Vec<Value>, Vec<Value>) = objects.into_iter().partition(|object| object["kind"] == "Namespace");
    kube.apply(&first)?;
    kube.apply(&rest)?;
    std::fs::write(&marker, digest).context("cannot note what was applied")
}

pub fn wait_until_available(place: &Place, kube: &Kube) -> Result<()> {
    let look = || {
        let waiting = unavailable(kube)?;
        Ok(if waiting.is_empty() {
            Look::Ready(())
        } else {
            Look::NotYet(waiting.join(", "))
        })
    };
    wait::until(
        "cluster services",
        Duration::from_secs(180),
        Duration::from_millis(500),
        look,
    )
    .map_err(|error| {
        let _ = std::fs::remove_file(place.state().join("addons.digest"));
        let mut failure = Failure::new(error.to_string()).way_out("kubectl -n kube-system describe pods says more");
        failure.details = crate::failure::explain(&error, 0);
        failure.into()
    })
}

fn unavailable(kube: &Kube) -> Result<Vec<String>> {
    let deployments = kube.items(&["get", "deployments", "--all-namespaces"])?;
    let available: Vec<(&str, &str)> = deployments
        .iter()
        .filter(|found| kube::is_true(found, "Available"))
        .filter_map(|found| {
            Some((
                found["metadata"]["namespace"].as_str()?,
                found["metadata"]["name"].as_str()?,
            ))
        })
        .collect();
    let missing = DEPLOYMENTS.iter().filter(|wanted| !available.contains(wanted));
    Ok(missing.map(|(_, name)| format!("{name} is not available")).collect())
}

fn objects(place: &Place, images: &AddonImages) -> Result<Vec<Value>> {
    let by_name = BTreeMap::from([
        ("coredns", &images.coredns),
        ("metrics-server", &images.metrics_server),
        ("local-path-provisioner", &images.local_path),
    ]);
    let mut objects = vec![certificate(place)?];
    for manifest in MANIFESTS {
        objects.extend(kube::parse_documents(manifest)?);
    }
    objects.push(local_path_config(place, &images.volume));
    let authority = pki::encoded(&place.pki().join("ca.crt"))?;
    for object in &mut objects {
        if object["kind"] == "APIService" {
            object["spec"]["caBundle"] = json!(authority);
        }
        let Some(containers) = object
            .pointer_mut("/spec/template/spec/containers")
            .and_then(Value::as_array_mut)
        else {
            continue;
        };
        for container in containers {
            let name = container["image"].as_str().context("a container has an image")?;
            let image = by_name
                .get(name)
                .with_context(|| format!("no image is made for {name}"))?;
            container["image"] = json!(image);
        }
    }
    Ok(objects)
}

fn certificate(place: &Place) -> Result<Value> {
    let read =
        |name: &str| std::fs::read_to_string(place.pki().join(name)).with_context(|| format!("cannot read {name}"));
    Ok(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "metrics-server-tls", "namespace": "kube-system"},
        "stringData": {"tls.crt": read("metrics-server.crt")?, "tls.key": read("metrics-server.key")?},
    }))
}

fn local_path_config(place: &Place, volume_image: &str) -> Value {
    let folder = place.nodes().join("volumes");
    let config = json!({
        "nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [folder]}],
        "setupCommand": "/usr/bin/volume",
        "teardownCommand": "/usr/bin/volume",
    });
    let helper = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "volume"},
        "spec": {
            "priorityClassName": "system-node-critical",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "volume", "image": volume_image, "imagePullPolicy": "IfNotPresent",
                // The folder above belongs to root on the node.
                "securityContext": {"runAsUser": 0, "runAsGroup": 0, "allowPrivilegeEscalation": false},
            }],
        },
    });
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "local-path-config", "namespace": "local-path-storage"},
        "data": {"config.json": config.to_string(), "helperPod.yaml": helper.to_string()},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_container_gets_an_image_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            checkout: folder.path().into(),
            cache: folder.path().join("cache"),
        };
        std::fs::create_dir_all(place.pki()).unwrap();
        for name in ["ca.crt", "metrics-server.crt", "metrics-server.key"] {
            std::fs::write(place.pki().join(name), "x").unwrap();
        }
        let image = |name: &str| format!("r/{name}:1");
        let images = AddonImages {
            pause: image("pause"),
            volume: image("volume"),
            coredns: image("coredns"),
            metrics_server: image("metrics-server"),
            local_path: image("local-path"),
        };
        let objects = objects(&place, &images).unwrap();
        let used: Vec<_> = objects
            .iter()
            .filter_map(|object| object.pointer("/spec/template/spec/containers/0/image")?.as_str())
            .collect();
        assert_eq!(used, [images.coredns, images.metrics_server, images.local_path]);
        let dns = objects
            .iter()
            .find(|object| object["spec"]["clusterIP"].is_string())
            .unwrap();
        assert_eq!(dns["spec"]["clusterIP"], super::super::address::DNS);
    }
}
