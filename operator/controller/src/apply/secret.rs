//! The generated Secret: made once, later only completed. A value that exists is never changed; one that somebody deleted
//! comes back as the process remembers it, because the datastores keep using it. What is not remembered is made anew only
//! where no data need the old one. Like the claims it has no owner and outlives its shop: kept data without its passwords
//! could never be opened again.

use super::object::api;
use super::{ApplyError, Class, Target, generate, locked, refused};
use crate::context::FIELD_MANAGER;
use crate::kinds::{KindIndex, index_of};
use crate::memory::SecretValues;
use crate::observe::secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use shop_plan::names;
use shop_plan::object::{ComponentId, GeneratedKey};
use std::collections::BTreeMap;

pub const KIND: &str = "Secret";

/// The Secret as it should be.
pub struct Wanted<'a> {
    pub component: &'a ComponentId,
    pub name: &'a str,
    pub labels: &'a BTreeMap<String, String>,
    pub keys: &'a [GeneratedKey],
}

/// What lies under the Secret's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Ours,
    /// Put there by somebody, such as from a backup; it only lacks our labels.
    Unlabelled,
}

pub async fn ensure(target: &Target<'_>, wanted: &Wanted<'_>) -> Result<Option<String>, ApplyError> {
    let found = look(target, wanted).await?;
    let known = target.memory.lock().secrets.get(wanted.name).cloned();
    let known = known.unwrap_or_default();
    let made = generate::missing(wanted.keys, &known.values)
        .map_err(|error| wanted.error(Class::Invalid, error.to_string()))?;
    keep_out_of_data(target, wanted, &made)?;
    let data = lacking(wanted.keys, &known, made);
    if found == Found::Ours && data.is_empty() {
        return Ok(None);
    }
    let live = match found {
        Found::Nothing => create(target, wanted, &data).await,
        Found::Ours | Found::Unlabelled => complete(target, wanted, &known.resource_version, &data).await,
    };
    let live = live.map_err(|error| wanted.refused(&error))?;
    secrets::remember(target.memory, wanted.name, &live);
    target.context.cache.put(kind(), &live);
    target.context.metrics.writes.with_label_values(&[KIND]).inc();
    Ok(Some(format!("{KIND} {}", wanted.name)))
}

impl Wanted<'_> {
    fn error(&self, class: Class, why: String) -> ApplyError {
        ApplyError {
            component: self.component.clone(),
            kind: KIND.to_owned(),
            name: self.name.to_owned(),
            class,
            why,
        }
    }

    fn refused(&self, error: &kube::Error) -> ApplyError {
        refused(self.component, KIND, self.name, error)
    }

    fn annotations(&self) -> Value {
        json!({names::COMPONENT_ANNOTATION: self.component.0})
    }
}

fn kind() -> KindIndex {
    index_of(KIND).expect("Secret is in the table of kinds")
}

/// What is there now; its values are in the memory afterwards.
async fn look(target: &Target<'_>, wanted: &Wanted<'_>) -> Result<Found, ApplyError> {
    let Target {
        context, key, memory, ..
    } = target;
    if context.cache.entry(key, kind(), wanted.name).is_some() {
        let read = secrets::refresh(context, key, memory, wanted.name).await;
        return read.map(|()| Found::Ours).map_err(|error| wanted.refused(&error));
    }
    // The watch shows only what carries our labels, and may be late.
    let live = api(target, kind()).get_opt(wanted.name).await;
    match live.map_err(|error| wanted.refused(&error))? {
        None => {
            secrets::forget_version(memory, wanted.name);
            Ok(Found::Nothing)
        }
        Some(live) => {
            let found = judged(&live, &key.name, wanted.keys).map_err(|why| wanted.error(Class::Invalid, why))?;
            secrets::remember(memory, wanted.name, &live);
            Ok(found)
        }
    }
}

/// Whether a Secret the watch does not show is, or may become, the shop's; else whose it is.
fn judged(live: &DynamicObject, shop: &str, keys: &[GeneratedKey]) -> Result<Found, String> {
    let label = |name: &str| Some(live.metadata.labels.as_ref()?.get(name)?.as_str());
    let managed = label(names::MANAGED_BY) == Some(names::OPERATOR);
    match label(names::INSTANCE) {
        Some(instance) if managed && instance == shop => return Ok(Found::Ours),
        Some(instance) if managed => return Err(format!("is labelled as that of shop {instance}: correct its labels")),
        _ => {}
    }
    if keys.iter().any(|wanted| live.data["data"].get(&wanted.key).is_some()) {
        return Ok(Found::Unlabelled);
    }
    Err("exists, but holds no key of a shop: delete it or give it another name".to_owned())
}

/// A new password would fit no data that are there already.
fn keep_out_of_data(
    target: &Target<'_>,
    wanted: &Wanted<'_>,
    made: &BTreeMap<String, String>,
) -> Result<(), ApplyError> {
    if made.is_empty() {
        return Ok(());
    }
    let holders = locked::holders(&target.context.cache, target.key).map_err(|why| {
        let why = format!("keys are missing, and whether data need them is not known yet: {why}");
        wanted.error(Class::Transient, why)
    })?;
    match locked::refusal(target.key, made.keys(), &holders) {
        Some(why) => Err(wanted.error(Class::Invalid, why)),
        None => Ok(()),
    }
}

/// What is to be written: what was lost and is remembered, and what was made. Of a Secret that is gone everything comes
/// back, also what another version of the operator had put there.
fn lacking(keys: &[GeneratedKey], known: &SecretValues, made: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let wanted = |key: &String| known.present.is_empty() || keys.iter().any(|wanted| wanted.key == *key);
    let lost = known
        .values
        .iter()
        .filter(|(key, _)| !known.present.contains(*key) && wanted(key));
    lost.map(|(key, value)| (key.clone(), value.clone()))
        .chain(made)
        .collect()
}

/// One that was made a moment ago is refused by the API server and looked at in the next pass.
async fn create(
    target: &Target<'_>,
    wanted: &Wanted<'_>,
    data: &BTreeMap<String, String>,
) -> kube::Result<DynamicObject> {
    let body = json!({
        "apiVersion": "v1",
        "kind": KIND,
        "metadata": {
            "name": wanted.name,
            "namespace": target.key.namespace,
            "labels": wanted.labels,
            "annotations": wanted.annotations(),
        },
        "type": "Opaque",
        "data": encoded(data),
    });
    let object: DynamicObject = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    api(target, kind()).create(&params, &object).await
}

/// Only over the version that was read.
async fn complete(
    target: &Target<'_>,
    wanted: &Wanted<'_>,
    version: &str,
    data: &BTreeMap<String, String>,
) -> kube::Result<DynamicObject> {
    let patch = json!({
        "metadata": {"resourceVersion": version, "labels": wanted.labels, "annotations": wanted.annotations()},
        "data": encoded(data),
    });
    api(target, kind())
        .patch(wanted.name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
}

fn encoded(values: &BTreeMap<String, String>) -> BTreeMap<&String, String> {
    values
        .iter()
        .map(|(key, value)| (key, STANDARD.encode(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_plan::object::Generator;
    use std::collections::BTreeSet;

    fn keys() -> Vec<GeneratedKey> {
        let of = |key: &str| GeneratedKey {
            key: key.into(),
            how: Generator::Password { length: 8 },
        };
        vec![of("orders-password"), of("redis-password")]
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn known(present: &[&str]) -> SecretValues {
        SecretValues {
            resource_version: "7".into(),
            present: present.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(),
            values: values(&[("orders-password", "o"), ("redis-password", "r"), ("others", "x")]),
        }
    }

    #[test]
    fn a_lost_key_comes_back_and_one_nobody_wants_does_not() {
        let all = ["orders-password", "redis-password", "others"];
        assert!(lacking(&keys(), &known(&all), BTreeMap::new()).is_empty());
        let back = lacking(&keys(), &known(&["redis-password"]), values(&[("new", "n")]));
        assert_eq!(back, values(&[("orders-password", "o"), ("new", "n")]));
    }

    #[test]
    fn of_a_secret_that_is_gone_everything_comes_back() {
        assert_eq!(lacking(&keys(), &known(&[]), BTreeMap::new()), known(&[]).values);
    }

    fn secret(labels: Value, data: Value) -> DynamicObject {
        let object = json!({"metadata": {"name": "demo-secrets", "labels": labels}, "data": data});
        serde_json::from_value(object).expect("a Secret")
    }

    #[test]
    fn one_from_a_backup_is_adopted_and_a_strangers_is_not() {
        let judged = |labels, data| judged(&secret(labels, data), "demo", &keys());
        let ours = |shop: &str| json!(names::labels(shop, "service", "shop"));
        assert_eq!(judged(ours("demo"), json!({})), Ok(Found::Ours));
        assert_eq!(
            judged(json!({}), json!({"orders-password": "bw=="})),
            Ok(Found::Unlabelled)
        );
        assert!(judged(json!({}), json!({"tls.key": "bw=="})).is_err());
        let others = judged(ours("other"), json!({"orders-password": "bw=="}));
        assert!(others.is_err_and(|why| why.contains("shop other")));
    }
}
