//! StatefulSets and Deployments around a pod. Comes in: an owner, a pod and how many. Goes out: a plan's object.
//! Template digest, owner reference and suspension are added by `plan()`, not here.

use super::applied::Owner;
use crate::digest::digest_of;
use crate::names;
use crate::object::{Object, Wave};
use crate::observed::Observed;
use crate::quantity;
use crate::shop::Storage;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment, StatefulSet,
    StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{
    Container, LocalObjectReference, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodSpec, PodTemplateSpec,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use std::collections::BTreeMap;

/// The name of every StatefulSet's claim template.
pub const CLAIM: &str = "data";

/// A pod, and what it was made from.
pub struct Pod {
    pub spec: PodSpec,
    /// Labels beside the owner's.
    pub labels: BTreeMap<String, String>,
    /// Digest of the config files it reads at start; `None` for a pod without any.
    pub config: Option<String>,
}

impl Pod {
    pub fn new(spec: PodSpec) -> Self {
        Self {
            spec,
            labels: BTreeMap::new(),
            config: None,
        }
    }

    /// The pod is made anew when `config` changes.
    pub fn restarted_by(self, config: &impl Serialize) -> Self {
        Self {
            config: Some(digest_of(config)),
            ..self
        }
    }

    fn template(self, owner: &Owner<'_>) -> PodTemplateSpec {
        let annotations = self
            .config
            .map(|digest| BTreeMap::from([(names::CONFIG_ANNOTATION.to_owned(), digest)]));
        let labels = owner.labels().into_iter().chain(self.labels).collect();
        let pull_secrets = owner.shop.image_pull_secrets.iter();
        let pull_secrets: Vec<_> = pull_secrets
            .map(|name| LocalObjectReference { name: name.clone() })
            .collect();
        let metadata = ObjectMeta {
            labels: Some(labels),
            annotations,
            ..ObjectMeta::default()
        };
        PodTemplateSpec {
            metadata: Some(metadata),
            spec: Some(PodSpec {
                image_pull_secrets: (!pull_secrets.is_empty()).then_some(pull_secrets),
                containers: with_last_words(self.spec.containers),
                init_containers: self.spec.init_containers.map(with_last_words),
                ..self.spec
            }),
        }
    }
}

/// A container that fails leaves the end of its log in the pod's status, from where it gets into the shop's condition.
fn with_last_words(containers: Vec<Container>) -> Vec<Container> {
    let leaves = |container| Container {
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        ..container
    };
    containers.into_iter().map(leaves).collect()
}

/// `replicas: None` leaves the count to an autoscaler.
pub fn deployment(owner: &Owner<'_>, name: &str, replicas: Option<u16>, pod: Pod) -> Object {
    let rolling = RollingUpdateDeployment {
        max_surge: Some(IntOrString::Int(1)),
        max_unavailable: Some(IntOrString::Int(0)),
    };
    let spec = DeploymentSpec {
        replicas: replicas.map(i32::from),
        revision_history_limit: Some(2),
        selector: owner.label_selector(),
        strategy: Some(DeploymentStrategy {
            type_: Some("RollingUpdate".into()),
            rolling_update: Some(rolling),
        }),
        template: pod.template(owner),
        ..DeploymentSpec::default()
    };
    let deployment = Deployment {
        metadata: owner.meta(name),
        spec: Some(spec),
        ..Deployment::default()
    };
    owner.object(Wave::Work, &deployment)
}

/// A datastore: pods start together, are replaced by the operator one at a time, and their claims outlive everything.
pub struct Stateful<'a> {
    pub name: &'a str,
    pub pods_service: String,
    pub replicas: u32,
    pub storage: &'a Storage,
    /// What its claims tell of the shape it was made with, for when the StatefulSet is lost.
    pub notes: BTreeMap<String, String>,
}

pub fn stateful_set(owner: &Owner<'_>, wanted: &Stateful<'_>, pod: Pod, seen: &Observed) -> Object {
    let Stateful {
        name,
        pods_service,
        replicas,
        storage,
        notes,
    } = wanted;
    let claim = match existing_claim(name, seen) {
        Some(existing) => claim(owner, &existing.storage, existing.notes),
        None => claim(owner, storage, notes_for(name, notes, seen)),
    };
    let retain = StatefulSetPersistentVolumeClaimRetentionPolicy {
        when_deleted: Some("Retain".into()),
        when_scaled: Some("Retain".into()),
    };
    let spec = StatefulSetSpec {
        replicas: i32::try_from(*replicas).ok(),
        revision_history_limit: Some(2),
        service_name: Some(pods_service.clone()),
        pod_management_policy: Some("Parallel".into()),
        update_strategy: Some(StatefulSetUpdateStrategy {
            type_: Some("OnDelete".into()),
            rolling_update: None,
        }),
        persistent_volume_claim_retention_policy: Some(retain),
        selector: owner.label_selector(),
        template: pod.template(owner),
        volume_claim_templates: Some(vec![claim]),
        ..StatefulSetSpec::default()
    };
    let set = StatefulSet {
        metadata: owner.meta(name),
        spec: Some(spec),
        ..StatefulSet::default()
    };
    owner.object(Wave::Data, &set)
}

fn claim(owner: &Owner<'_>, storage: &Storage, notes: Option<BTreeMap<String, String>>) -> PersistentVolumeClaim {
    let requests = BTreeMap::from([("storage".to_owned(), Quantity(storage.size.to_string()))]);
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            annotations: notes,
            ..owner.meta(CLAIM)
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".into()]),
            storage_class_name: storage.class_name.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(requests),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// Claims that exist keep the notes they have, and without its set they say what its template has: it may be there all the
/// same and have lost only its labels.
fn notes_for(name: &str, notes: &BTreeMap<String, String>, seen: &Observed) -> Option<BTreeMap<String, String>> {
    let first = format!("{CLAIM}-{}", names::pod(name, 0));
    let is_first = |claim: &&PersistentVolumeClaim| claim.metadata.name.as_ref() == Some(&first);
    let made = seen.claims.known().and_then(|claims| claims.iter().find(is_first));
    let has = |claim: &PersistentVolumeClaim, key: &str| {
        let annotations = claim.metadata.annotations.as_ref();
        annotations.is_some_and(|all| all.contains_key(key))
    };
    let mut notes = notes.clone();
    notes.retain(|key, _| made.is_none_or(|claim| has(claim, key)));
    (!notes.is_empty()).then_some(notes)
}

struct Existing {
    storage: Storage,
    notes: Option<BTreeMap<String, String>>,
}

/// The API server refuses any change of a StatefulSet's claim templates, so an existing set keeps what it has.
fn existing_claim(name: &str, seen: &Observed) -> Option<Existing> {
    let set = seen
        .stateful_sets
        .known()?
        .iter()
        .find(|set| set.metadata.name.as_deref() == Some(name))?;
    let template = set.spec.as_ref()?.volume_claim_templates.as_ref()?.first()?;
    let claim = template.spec.as_ref()?;
    let Quantity(size) = claim.resources.as_ref()?.requests.as_ref()?.get("storage")?;
    Some(Existing {
        storage: Storage {
            size: quantity::bytes(size).ok()?,
            class_name: claim.storage_class_name.clone(),
        },
        notes: template.metadata.annotations.clone(),
    })
}
