//! What holds for every component of every shop: restricted pods, names of their own, secrets only by reference.

use super::all;
use crate::fixtures::{empty_world, shop, shop_of, tiny_shop};
use crate::names;
use crate::object::{Body, Object};
use crate::shop::ValidatedShop;
use serde_json::Value;
use std::collections::BTreeSet;

fn shops() -> Vec<ValidatedShop> {
    let own = "
        services:
          reviews: {image: 'registry.example/reviews:1', port: 3000, route: /api/v1/reviews, env: {COLOUR: blue}}
          product: {autoscaling: {minReplicas: 2, maxReplicas: 6, targetCpuUtilization: 70}}";
    vec![shop(), tiny_shop(), shop_of(own)]
}

fn objects(shop: &ValidatedShop) -> Vec<Object> {
    let seen = empty_world();
    all(shop)
        .iter()
        .flat_map(|component| component.plan(shop, &seen).unwrap().objects)
        .collect()
}

fn bodies(shop: &ValidatedShop) -> Vec<Value> {
    let applied = |object: Object| match object.body {
        Body::Applied(value) => Some(value),
        Body::Generated { .. } => None,
    };
    objects(shop).into_iter().filter_map(applied).collect()
}

/// Name and pod spec of every workload.
fn pods(shop: &ValidatedShop) -> Vec<(String, Value)> {
    let is_workload = |body: &Value| matches!(body["kind"].as_str(), Some("Deployment" | "StatefulSet"));
    let pod = |body: Value| {
        (
            body["metadata"]["name"].as_str().unwrap().to_owned(),
            body["spec"].clone(),
        )
    };
    bodies(shop).into_iter().filter(is_workload).map(pod).collect()
}

fn containers(pod: &Value) -> Vec<Value> {
    ["initContainers", "containers"]
        .iter()
        .filter_map(|list| pod[*list].as_array())
        .flatten()
        .cloned()
        .collect()
}

#[test]
fn every_pod_pulls_its_images_with_the_installations_secrets() {
    let mut private = shop();
    assert!(
        pods(&private)
            .iter()
            .all(|(_, workload)| workload["template"]["spec"].get("imagePullSecrets").is_none())
    );
    private.image_pull_secrets = vec!["registry".into(), "mirror".into()];
    for (name, workload) in pods(&private) {
        let wanted = serde_json::json!([{"name": "registry"}, {"name": "mirror"}]);
        assert_eq!(workload["template"]["spec"]["imagePullSecrets"], wanted, "{name}");
    }
}

#[test]
fn pods_are_restricted() {
    for (name, workload) in shops().iter().flat_map(pods) {
        let pod = &workload["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
            "{name}"
        );
        for container in containers(pod) {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(security["capabilities"]["drop"][0], "ALL", "{name}");
            assert!(
                container["resources"]["requests"]["cpu"].is_string(),
                "{name}: no CPU request"
            );
        }
    }
}

#[test]
fn only_patroni_gets_a_token() {
    for (name, workload) in shops().iter().flat_map(pods) {
        let is_patroni = workload["template"]["metadata"]["labels"]["shop-operator.io/scope"].is_string();
        assert_eq!(
            workload["template"]["spec"]["automountServiceAccountToken"], is_patroni,
            "{name}"
        );
    }
}

#[test]
fn names_are_unique_and_short_and_labelled() {
    for shop in shops() {
        let mut seen = BTreeSet::new();
        for body in bodies(&shop) {
            let (kind, meta) = (body["kind"].as_str().unwrap().to_owned(), &body["metadata"]);
            let name = meta["name"].as_str().unwrap().to_owned();
            assert!(name.len() <= 63, "{name} is too long");
            assert_eq!(meta["labels"][names::MANAGED_BY], names::OPERATOR, "{kind} {name}");
            assert!(
                seen.insert((kind.clone(), name.clone())),
                "two objects are {kind} {name}"
            );
        }
    }
}

#[test]
fn secrets_are_only_referred_to() {
    for (name, workload) in shops().iter().flat_map(pods) {
        for variable in containers(&workload["template"]["spec"])
            .iter()
            .filter_map(|one| one["env"].as_array())
            .flatten()
        {
            let variable_name = variable["name"].as_str().unwrap();
            let is_secret = ["PASSWORD", "PASS", "SEED", "KEY", "AUTH", "COOKIE"]
                .iter()
                .any(|word| variable_name.ends_with(word));
            assert!(
                !is_secret || variable["value"].is_null(),
                "{name}: {variable_name} is written out"
            );
        }
    }
    for body in shops()
        .iter()
        .flat_map(bodies)
        .filter(|body| body["kind"] == "ConfigMap")
    {
        let text = body["data"].to_string();
        assert!(
            !text.contains("\"password\"") && !text.contains("masterauth"),
            "{}",
            body["metadata"]["name"]
        );
    }
}

#[test]
fn every_mount_has_a_volume_and_every_account_exists() {
    for shop in shops() {
        let all = bodies(&shop);
        let has = |kind: &str, name: &Value| {
            all.iter()
                .any(|body| body["kind"] == kind && &body["metadata"]["name"] == name)
        };
        for (name, workload) in pods(&shop) {
            let pod = &workload["template"]["spec"];
            assert!(has("ServiceAccount", &pod["serviceAccountName"]), "{name}");
            let volumes = pod["volumes"].as_array().unwrap();
            let claims = workload["volumeClaimTemplates"].as_array().cloned().unwrap_or_default();
            for mount in containers(pod)
                .iter()
                .flat_map(|one| one["volumeMounts"].as_array().cloned().unwrap_or_default())
            {
                let found = volumes.iter().any(|volume| volume["name"] == mount["name"])
                    || claims.iter().any(|claim| claim["metadata"]["name"] == mount["name"]);
                assert!(found, "{name}: {}", mount["name"]);
            }
            for volume in volumes.iter().filter(|volume| volume["configMap"].is_object()) {
                assert!(has("ConfigMap", &volume["configMap"]["name"]), "{name}: {volume}");
            }
        }
    }
}

#[test]
fn needs_are_components() {
    for shop in shops() {
        let components = all(&shop);
        let ids: Vec<_> = components.iter().map(|component| component.id()).collect();
        for component in &components {
            let needs = component.needs();
            assert!(
                needs.iter().all(|need| ids.contains(need)),
                "{:?} needs {needs:?}",
                component.id()
            );
        }
    }
}

#[test]
fn a_selector_never_matches_another_workloads_pods() {
    for shop in shops() {
        let pods = pods(&shop);
        for (name, workload) in &pods {
            let selector = workload["selector"]["matchLabels"].as_object().unwrap();
            let matched = pods.iter().filter(|(_, other)| {
                selector
                    .iter()
                    .all(|(label, value)| &other["template"]["metadata"]["labels"][label] == value)
            });
            assert_eq!(matched.count(), 1, "{name}");
        }
    }
}
