//! Where pods go: apart from their like, but never so strictly that a small cluster cannot run the shop. Out: the rest of
//! a pod's spec.

use k8s_openapi::api::core::v1::{
    Affinity, PodAffinityTerm, PodAntiAffinity, PodSpec, Toleration, TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
/// Tells the pods of one version of a Deployment from those it replaces.
const VERSION: &str = "pod-template-hash";
/// How long a pod that can start anywhere waits for its lost node. Kubernetes' own five minutes are an outage for whatever
/// has one pod, such as a pooler.
const LOST_SECONDS: i64 = 10;

/// For the pods of a Deployment with these labels.
pub fn movable(selector: &BTreeMap<String, String>) -> PodSpec {
    let mut spread = spread(selector, false);
    spread.match_label_keys = Some(vec![VERSION.into()]);
    let lost = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(|taint| Toleration {
        key: Some(taint.into()),
        operator: Some("Exists".into()),
        effect: Some("NoExecute".into()),
        toleration_seconds: Some(LOST_SECONDS),
        ..Toleration::default()
    });
    PodSpec {
        topology_spread_constraints: Some(vec![spread]),
        affinity: Some(apart(selector)),
        tolerations: Some(lost.into()),
        ..PodSpec::default()
    }
}

/// For the pods of a StatefulSet with these labels, which stay where their volumes are. Each on a node of its own is a must
/// (`DoNotSchedule`) only when `strict`: a Redis primary and its replica must not share one.
pub fn standing(selector: &BTreeMap<String, String>, strict: bool) -> PodSpec {
    PodSpec {
        topology_spread_constraints: Some(vec![spread(selector, strict)]),
        affinity: Some(apart(selector)),
        ..PodSpec::default()
    }
}

/// Evenly over nodes.
fn spread(selector: &BTreeMap<String, String>, must: bool) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        label_selector: Some(labels(selector)),
        max_skew: 1,
        // A node that takes no pods (a control plane) must not count as an empty one.
        node_taints_policy: Some("Honor".into()),
        topology_key: HOST.into(),
        when_unsatisfiable: if must { "DoNotSchedule" } else { "ScheduleAnyway" }.into(),
        ..TopologySpreadConstraint::default()
    }
}

/// On other nodes and in other zones than their like, where possible. Zones are no second constraint beside the nodes' one:
/// where nodes have no zone the scheduler would leave out both.
fn apart(selector: &BTreeMap<String, String>) -> Affinity {
    let preferred = |key: &str| WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: PodAffinityTerm {
            label_selector: Some(labels(selector)),
            topology_key: key.into(),
            ..PodAffinityTerm::default()
        },
    };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![preferred(HOST), preferred(ZONE)]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

fn labels(selector: &BTreeMap<String, String>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector.clone()),
        match_expressions: None,
    }
}
