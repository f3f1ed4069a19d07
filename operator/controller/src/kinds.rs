//! Every kind of object the operator reads or writes besides the ShopDeployment, as one table. The watches, the generic
//! apply, the pruning and (by a test) the chart's ClusterRole are made from it; nothing else names a plural.

use kube::api::ApiResource;

/// Index into [`KINDS`]: what the cache keys objects by.
pub type KindIndex = u8;

/// How much of an object is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Whole,
    /// Only metadata: the values of Secrets are read on demand.
    Metadata,
}

/// What the operator does with objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Applied, repaired and pruned.
    Made,
    /// Only looked at; other controllers or Patroni make them.
    Seen,
}

#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub keep: Keep,
    pub used: Use,
}

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    keep: Keep,
    used: Use,
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        keep,
        used,
    }
}

pub const KINDS: &[Kind] = &[
    kind("", "v1", "Pod", "pods", Keep::Whole, Use::Made),
    kind(
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        Keep::Whole,
        Use::Seen,
    ),
    kind("", "v1", "Secret", "secrets", Keep::Metadata, Use::Made),
    kind("", "v1", "ConfigMap", "configmaps", Keep::Whole, Use::Made),
    kind("", "v1", "ServiceAccount", "serviceaccounts", Keep::Whole, Use::Made),
    kind("", "v1", "Service", "services", Keep::Whole, Use::Made),
    kind(
        "rbac.authorization.k8s.io",
        "v1",
        "Role",
        "roles",
        Keep::Whole,
        Use::Made,
    ),
    kind(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
        Keep::Whole,
        Use::Made,
    ),
    kind(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        Keep::Whole,
        Use::Made,
    ),
    kind("apps", "v1", "StatefulSet", "statefulsets", Keep::Whole, Use::Made),
    kind("apps", "v1", "Deployment", "deployments", Keep::Whole, Use::Made),
    kind(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        Keep::Whole,
        Use::Made,
    ),
];

impl Kind {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

/// The place of a kind in the table, by its name.
pub fn index_of(kind: &str) -> Option<KindIndex> {
    KINDS
        .iter()
        .position(|known| known.kind == kind)
        .map(|index| index as KindIndex)
}

pub fn kind_at(index: KindIndex) -> &'static Kind {
    &KINDS[usize::from(index)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_once() {
        for (index, known) in KINDS.iter().enumerate() {
            assert_eq!(index_of(known.kind), Some(index as KindIndex), "{}", known.kind);
        }
    }

    #[test]
    fn a_group_is_part_of_the_api_version() {
        let found = kind_at(index_of("StatefulSet").expect("in the table"));
        assert_eq!(found.api_version(), "apps/v1");
        assert_eq!(kind_at(index_of("Pod").expect("in the table")).api_version(), "v1");
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Rule {
        api_groups: Vec<String>,
        resources: Vec<String>,
        verbs: Vec<String>,
    }

    /// The chart grants what the table needs: no verb too few, and no kind that is not in it.
    #[test]
    fn the_charts_rules_are_those_of_the_table() {
        let rules: Vec<Rule> = serde_saphyr::from_str(include_str!("../../../charts/shop-operator/files/rules.yaml"))
            .expect("a list of rules");
        for kind in KINDS {
            let of = |rule: &&Rule| {
                rule.api_groups.iter().any(|group| group == kind.group)
                    && rule.resources.iter().any(|resource| resource == kind.plural)
            };
            let granted: Vec<&str> = rules
                .iter()
                .filter(of)
                .flat_map(|rule| rule.verbs.iter().map(String::as_str))
                .collect();
            let needed: &[&str] = match kind.used {
                Use::Made => &["get", "list", "watch", "create", "patch", "delete"],
                Use::Seen => &["get", "list", "watch"],
            };
            for verb in needed {
                assert!(
                    granted.contains(verb),
                    "files/rules.yaml lacks {verb} on {}",
                    kind.plural
                );
            }
        }
        let besides = [
            // So that Patroni's Role may be given them, and for what it leaves of a deleted shop.
            "endpoints",
            "shopdeployments",
            "shopdeployments/status",
            "shopdeployments/finalizers",
            "events",
        ];
        for resource in rules.iter().flat_map(|rule| &rule.resources) {
            let known = KINDS.iter().any(|kind| kind.plural == resource) || besides.contains(&resource.as_str());
            assert!(
                known,
                "files/rules.yaml grants {resource}, which the operator does not use"
            );
        }
    }
}
