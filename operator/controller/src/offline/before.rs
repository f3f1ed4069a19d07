//! What a plan is compared with: nothing, the plan of an older file, or a cluster. Reads only.

use crate::cache::{Cache, ShopKey};
use crate::kinds::{KINDS, KindIndex};
use crate::memory;
use crate::observe;
use anyhow::Context as _;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::EnvVar;
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;
use shop_api::ShopDeployment;
use shop_plan::inputs::Images;
use shop_plan::observed::{Observed, PatroniMember, PatroniView, Seen, ShardId};
use shop_plan::{Plan, names};
use std::collections::{BTreeMap, HashSet};

/// The label the chart gives the operator's Deployment.
const OPERATOR: &str = "app.kubernetes.io/name=shop-operator";
const IMAGES: &str = "SHOP_OPERATOR_IMAGES";
const IMAGE_PULL_SECRETS: &str = "SHOP_OPERATOR_IMAGE_PULL_SECRETS";

/// No world at all. Deployments count as unknown, so that the plan holds nothing back until something else serves.
pub fn nothing() -> Observed {
    let offline = || "offline".to_owned();
    Observed {
        stateful_sets: Seen::Known(Vec::new()),
        deployments: Seen::Unknown(offline()),
        pods: Seen::Known(Vec::new()),
        claims: Seen::Known(Vec::new()),
        secrets: Seen::Known(BTreeMap::new()),
        shard_map: Seen::Absent,
        postgres: BTreeMap::new(),
        redis: Seen::Absent,
        rabbitmq: Seen::Absent,
        proof: Seen::Absent,
        done: BTreeMap::new(),
    }
}

/// A world in which a plan was carried out.
pub fn of_plan(plan: Plan) -> (Vec<Value>, Observed) {
    let secret = |name: &str| serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    let objects: Vec<Value> = plan
        .objects
        .iter()
        .map(|object| object.applied().cloned().unwrap_or_else(|| secret(object.name())))
        .collect();
    let sets = objects.iter().filter(|object| object["kind"] == "StatefulSet");
    let sets: Vec<StatefulSet> = sets
        .filter_map(|object| serde_json::from_value(object.clone()).ok())
        .collect();
    (
        objects,
        Observed {
            postgres: as_if_well(&sets),
            stateful_sets: Seen::Known(sets),
            ..nothing()
        },
    )
}

/// No Postgres is asked here. Where there are several instances, all count as well and the first as the primary, so that
/// a change is explained to its end.
fn as_if_well(sets: &[StatefulSet]) -> BTreeMap<ShardId, Seen<PatroniView>> {
    sets.iter().filter_map(well).collect()
}

fn well(set: &StatefulSet) -> Option<(ShardId, Seen<PatroniView>)> {
    let labels = set.metadata.labels.as_ref()?;
    let (database, index) = labels.get(names::NAME)?.rsplit_once('-')?;
    let shard = ShardId {
        database: database.to_owned(),
        index: index.parse().ok()?,
    };
    let scope = set.metadata.name.as_deref()?;
    let instances = u32::try_from(set.spec.as_ref()?.replicas?).ok()?;
    let member = |ordinal| {
        let (role, state) = if ordinal == 0 {
            ("leader", "running")
        } else {
            ("sync_standby", "streaming")
        };
        PatroniMember {
            name: names::pod(scope, ordinal),
            role: role.to_owned(),
            state: state.to_owned(),
            lag_bytes: Some(0),
            timeline: None,
        }
    };
    let view = PatroniView {
        members: (0..instances).map(member).collect(),
        paused: false,
    };
    (instances > 1).then_some((shard, Seen::Known(view)))
}

/// The world of the current kubeconfig.
pub fn of_cluster(shop: &ShopDeployment) -> anyhow::Result<(Vec<Value>, Observed)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(read_cluster(shop))
}

/// What the operator in the cluster of the current kubeconfig was installed with: its images, and the Secrets to pull them.
pub fn installed(namespace: &str) -> anyhow::Result<(Images, Vec<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime
        .block_on(read_environment(namespace))
        .and_then(|environment| settings(&environment));
    found.with_context(|| {
        format!("the operator's images are not known: --operator-namespace is {namespace}, or pass --images")
    })
}

async fn read_environment(namespace: &str) -> anyhow::Result<Vec<EnvVar>> {
    let api: Api<Deployment> = Api::namespaced(client().await?, namespace);
    let listed = api.list(&ListParams::default().labels(OPERATOR)).await?;
    let containers = listed
        .items
        .into_iter()
        .filter_map(|deployment| deployment.spec?.template.spec)
        .flat_map(|pod| pod.containers);
    Ok(containers
        .flat_map(|container| container.env.unwrap_or_default())
        .collect())
}

/// A chart without Secrets to pull with sets no such variable.
fn settings(environment: &[EnvVar]) -> anyhow::Result<(Images, Vec<String>)> {
    let of = |name: &str| {
        let setting = environment.iter().find(|setting| setting.name == name)?;
        setting.value.as_deref()
    };
    let images = of(IMAGES).with_context(|| format!("no Deployment with the label {OPERATOR} sets {IMAGES}"))?;
    let images = crate::images(images).map_err(anyhow::Error::msg)?;
    let secrets = of(IMAGE_PULL_SECRETS).into_iter().flat_map(|names| names.split(','));
    Ok((images, secrets.map(str::to_owned).collect()))
}

async fn client() -> anyhow::Result<Client> {
    Client::try_default()
        .await
        .context("no cluster: no readable kubeconfig")
}

async fn read_cluster(shop: &ShopDeployment) -> anyhow::Result<(Vec<Value>, Observed)> {
    let client = client().await?;
    let key = ShopKey {
        namespace: shop.metadata.namespace.clone().unwrap_or_default(),
        name: shop.metadata.name.clone().unwrap_or_default(),
    };
    let (cache, memory, mut objects) = (Cache::default(), memory::Shared::default(), Vec::new());
    let selector = format!("{},{}={}", names::MANAGED_SELECTOR, names::INSTANCE, key.name);
    for (index, kind) in KINDS.iter().enumerate() {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &key.namespace, &kind.resource());
        let listed = api.list(&ListParams::default().labels(&selector)).await;
        let listed = listed.with_context(|| format!("cannot list {} in namespace {}", kind.plural, key.namespace))?;
        let mut seen = HashSet::new();
        for object in listed.items {
            let name = object.metadata.name.clone().unwrap_or_default();
            cache.put(index as KindIndex, &object);
            if kind.kind == "Secret" {
                observe::secrets::remember(&memory, &name, &object);
            }
            let mut owners = object.metadata.owner_references.iter().flatten();
            // The generated Secret outlives the shop, so it has no owner.
            if kind.kind == "Secret" || owners.any(|owner| owner.kind == "ShopDeployment") {
                objects.push(whole(kind.kind, &kind.api_version(), &object)?);
            }
            seen.insert((key.clone(), name));
        }
        cache.listed(index as KindIndex, &seen);
    }
    let mut seen = observe::observe(&cache, &key, &memory);
    seen.postgres = as_if_well(seen.stateful_sets.known().map(Vec::as_slice).unwrap_or_default());
    // A shop that is not there yet is explained as a whole.
    let seen = if objects.is_empty() { nothing() } else { seen };
    Ok((objects, seen))
}

fn whole(kind: &str, api_version: &str, object: &DynamicObject) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(object)?;
    value["kind"] = kind.into();
    value["apiVersion"] = api_version.into();
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_installation_is_read_from_its_environment() {
        let images = serde_json::to_string(&super::super::default_images()).expect("JSON");
        let of = |more: Value| -> anyhow::Result<(Images, Vec<String>)> {
            let mut all = vec![json!({"name": "POD_NAME"}), json!({"name": IMAGES, "value": images})];
            all.extend(more.as_array().cloned().unwrap_or_default());
            settings(&serde_json::from_value::<Vec<EnvVar>>(json!(all)).expect("an environment"))
        };
        assert!(of(json!([])).expect("read").1.is_empty());
        let secrets = of(json!([{"name": IMAGE_PULL_SECRETS, "value": "registry,mirror"}]))
            .expect("read")
            .1;
        assert_eq!(secrets, ["registry", "mirror"]);
        assert!(settings(&[]).is_err());
    }
}
