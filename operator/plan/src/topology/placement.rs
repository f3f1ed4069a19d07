//! Where pods go: apart from their like, but never so strictly that a small cluster cannot run the shop.

use k8s_openapi::api::core::v1::{
    Affinity, PodAffinityTerm, PodAntiAffinity, TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Prefers a node of its own for each pod with these labels.
pub fn apart(selector: &BTreeMap<String, String>) -> Affinity {
    let term = PodAffinityTerm {
        label_selector: Some(labels(selector)),
        topology_key: HOST.into(),
        ..PodAffinityTerm::default()
    };
    let preferred = WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: term,
    };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![preferred]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// Evenly over nodes and zones. Nodes are a must (`DoNotSchedule`) only when `strict`: the pods of a Redis cluster, where
/// a primary and its replica must not share a node.
pub fn spread(selector: &BTreeMap<String, String>, strict: bool) -> Vec<TopologySpreadConstraint> {
    let constraint = |key: &str, must: bool| TopologySpreadConstraint {
        label_selector: Some(labels(selector)),
        max_skew: 1,
        // A node that takes no pods (a control plane) must not count as an empty one.
        node_taints_policy: Some("Honor".into()),
        topology_key: key.into(),
        when_unsatisfiable: if must { "DoNotSchedule" } else { "ScheduleAnyway" }.into(),
        ..TopologySpreadConstraint::default()
    };
    vec![constraint(HOST, strict), constraint(ZONE, false)]
}

fn labels(selector: &BTreeMap<String, String>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector.clone()),
        match_expressions: None,
    }
}
