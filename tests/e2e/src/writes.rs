//! Counts what was written to the API. Two witnesses: resource versions of a shop's objects (a write that changed
//! something) and the API server's own request counters (also a write that changed nothing).

use anyhow::Result;
use kube::ResourceExt;
use kube::api::{DynamicObject, GetParams};
use std::collections::BTreeMap;

use crate::{Cluster, Shop};

/// Every object of a shop at one moment: `Kind/name` → what would differ after a write.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects(BTreeMap<String, Version>);

#[derive(Clone, Debug, PartialEq)]
struct Version {
    uid: String,
    resource_version: String,
    generation: Option<i64>,
    writers: String,
}

impl Objects {
    /// The shop itself and all objects the operator made for it.
    pub async fn of(shop: &Shop) -> Result<Self> {
        let mut all = BTreeMap::new();
        let itself = shop.cluster.raw_shops(shop.namespace()).get(&shop.name).await?;
        all.insert(format!("ShopDeployment/{}", shop.name), version(&itself));
        let selector = format!(
            "app.kubernetes.io/instance={},app.kubernetes.io/managed-by=shop-operator",
            shop.name
        );
        for kind in Cluster::made_kinds() {
            for object in shop.cluster.list(&kind, shop.namespace(), &selector).await? {
                all.insert(format!("{}/{}", kind.kind, object.name_any()), version(&object));
            }
        }
        Ok(Self(all))
    }

    /// What was written between `self` and `later`, one line each; empty when nothing was.
    pub fn changes_until(&self, later: &Self) -> Vec<String> {
        self.compare(later, |before, after| before == after)
    }

    /// The same for what a user would call a change: another object of that name or another generation, and not what
    /// Kubernetes notes in a status.
    pub fn upheavals_until(&self, later: &Self) -> Vec<String> {
        self.compare(later, |before, after| {
            let same = before.generation.is_some() && before.generation == after.generation;
            before == after || (before.uid == after.uid && same)
        })
    }

    fn compare(&self, later: &Self, same: impl Fn(&Version, &Version) -> bool) -> Vec<String> {
        let gone = self
            .0
            .keys()
            .filter(|name| !later.0.contains_key(*name))
            .map(|name| format!("{name} is gone"));
        let rest = later.0.iter().filter_map(|(name, after)| match self.0.get(name) {
            None => Some(format!("{name} is new ({})", after.writers)),
            Some(before) if same(before, after) => None,
            Some(before) => Some(format!(
                "{name}: generation {:?} → {:?}, version {} → {}, same object: {}; writers {}",
                before.generation,
                after.generation,
                before.resource_version,
                after.resource_version,
                before.uid == after.uid,
                after.writers,
            )),
        });
        gone.chain(rest).collect()
    }

    pub fn uid(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|version| version.uid.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `generation` of each object that has one: how often its spec was changed.
    pub fn generations(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0
            .iter()
            .filter_map(|(name, version)| Some((name.as_str(), version.generation?)))
    }
}

fn version(object: &DynamicObject) -> Version {
    let managers = object.metadata.managed_fields.clone().unwrap_or_default();
    let writers = managers.iter().map(|one| {
        let time = one.time.as_ref().map(|time| time.0.to_string()).unwrap_or_default();
        format!(
            "{}{} {time}",
            one.manager.clone().unwrap_or_default(),
            one.subresource
                .as_ref()
                .map(|name| format!("/{name}"))
                .unwrap_or_default()
        )
    });
    Version {
        uid: object.uid().unwrap_or_default(),
        resource_version: object.resource_version().unwrap_or_default(),
        generation: object.metadata.generation,
        writers: writers.collect::<Vec<_>>().join(", "),
    }
}

/// Write requests the API server has served for kinds an idle operator must not write, by verb and resource.
pub async fn served(cluster: &Cluster) -> Result<BTreeMap<String, f64>> {
    let request = kube::core::Request::new("").get("metrics", &GetParams::default())?;
    let text = cluster.client.request_text(request).await?;
    Ok(crate::operator::parse(&text)
        .into_iter()
        .filter(|(name, _)| is_write(name))
        .collect())
}

const WRITTEN: [&str; 11] = [
    "shopdeployments",
    "configmaps",
    "secrets",
    "services",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "poddisruptionbudgets",
    "horizontalpodautoscalers",
    "statefulsets",
    "deployments",
];

fn is_write(sample: &str) -> bool {
    let verb = ["POST", "PUT", "PATCH", "APPLY", "DELETE"]
        .iter()
        .any(|verb| sample.contains(&format!("verb=\"{verb}\"")));
    let resource = WRITTEN
        .iter()
        .any(|resource| sample.contains(&format!(",resource=\"{resource}\"")));
    let by_kubernetes = sample.contains("subresource=\"token\"") || sample.contains("subresource=\"scale\"");
    sample.starts_with("apiserver_request_total{") && verb && resource && !by_kubernetes
}

/// The counters that grew, as `name: +n`.
pub fn growth(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> Vec<String> {
    let grown = after
        .iter()
        .map(|(name, count)| (name, count - before.get(name).copied().unwrap_or(0.0)));
    grown
        .filter(|(_, more)| *more > 0.0)
        .map(|(name, more)| format!("{name}: +{more}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writes_of_the_operators_kinds_count() {
        assert!(is_write(
            r#"apiserver_request_total{code="200",group="apps",resource="deployments",verb="APPLY"}"#
        ));
        assert!(!is_write(
            r#"apiserver_request_total{code="200",group="apps",resource="deployments",verb="LIST"}"#
        ));
        assert!(!is_write(
            r#"apiserver_request_total{code="200",group="x",resource="leases",verb="PUT"}"#
        ));
    }

    #[test]
    fn growth_names_what_grew() {
        let before = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0)]);
        let after = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 3.0), ("c".to_owned(), 1.0)]);
        assert_eq!(growth(&before, &after), ["b: +2", "c: +1"]);
    }
}
