//! Values of the generated Secrets: read when a version not yet known is there, kept in memory only, handed to drivers
//! just before use. Never logged, never part of a plan.

use crate::cache::{Cache, ShopKey};
use crate::context::Context;
use crate::kinds::index_of;
use crate::memory::{self, SecretValues, Shared};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DynamicObject;
use shop_plan::Seen;
use shop_plan::digest::digest_of;
use shop_plan::task::SecretRef;
use std::collections::BTreeMap;

/// Reads whatever Secret of the shop is not known in its newest version: once after the process started, and after changes.
pub async fn refresh_all(context: &Context, key: &ShopKey, memory: &Shared) -> kube::Result<()> {
    for name in names_of(&context.cache, key) {
        refresh(context, key, memory, &name).await?;
    }
    Ok(())
}

fn names_of(cache: &Cache, key: &ShopKey) -> Vec<String> {
    cache.names(key, index_of("Secret").expect("Secret is in the table of kinds"))
}

/// Digests of the values that exist; Unknown while one of them could not be read.
pub fn observe(
    cache: &Cache,
    key: &ShopKey,
    memory: &memory::Shop,
) -> Seen<BTreeMap<String, BTreeMap<String, String>>> {
    let mut seen = BTreeMap::new();
    for name in names_of(cache, key) {
        let Some(known) = memory.secrets.get(&name) else {
            return Seen::Unknown(format!("Secret {name} has not been read yet"));
        };
        seen.insert(
            name,
            known
                .values
                .iter()
                .map(|(key, value)| (key.clone(), digest_of(value)))
                .collect(),
        );
    }
    Seen::Known(seen)
}

/// Makes sure that the values known are those of the newest version seen.
pub async fn refresh(context: &Context, key: &ShopKey, memory: &Shared, name: &str) -> kube::Result<()> {
    let kind = index_of("Secret").expect("Secret is in the table of kinds");
    let Some(entry) = context.cache.entry(key, kind, name) else {
        return Ok(());
    };
    let known = memory
        .lock()
        .secrets
        .get(name)
        .map(|known| known.resource_version.clone());
    if known.as_deref() == Some(entry.resource_version.as_str()) {
        return Ok(());
    }
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &key.namespace);
    let secret = api.get(name).await?;
    let values = secret.data.unwrap_or_default().into_iter();
    let values = values
        .filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?)))
        .collect();
    take_over(memory, name, secret.metadata.resource_version, values);
    Ok(())
}

/// Takes over the values of a Secret as the API server has just told them.
pub fn remember(memory: &Shared, name: &str, live: &DynamicObject) {
    let decode = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
    let values: BTreeMap<String, String> = live.data["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), decode(value.as_str()?)?)))
        .collect();
    take_over(memory, name, live.metadata.resource_version.clone(), values);
}

/// The Secret is not there; what it held stays known.
pub fn forget_version(memory: &Shared, name: &str) {
    take_over(memory, name, None, BTreeMap::new());
}

fn take_over(memory: &Shared, name: &str, version: Option<String>, live: BTreeMap<String, String>) {
    let mut memory = memory.lock();
    let known = memory.secrets.entry(name.to_owned()).or_default();
    *known = merged(std::mem::take(known), version.unwrap_or_default(), live);
}

/// What is there goes over what is remembered; a key that was lost keeps its last value.
fn merged(before: SecretValues, resource_version: String, live: BTreeMap<String, String>) -> SecretValues {
    let present = live.keys().cloned().collect();
    let values = before.values.into_iter().chain(live).collect();
    SecretValues {
        resource_version,
        present,
        values,
    }
}

/// A value, or which one is missing.
pub fn value(memory: &Shared, wanted: &SecretRef) -> Result<String, String> {
    let memory = memory.lock();
    let values = memory.secrets.get(&wanted.secret).map(|known| &known.values);
    let missing = || format!("Secret {} has no key {}", wanted.secret, wanted.key);
    values
        .and_then(|values| values.get(&wanted.key).cloned())
        .ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_lost_key_keeps_its_value_and_an_edited_one_takes_the_new() {
        let before = merged(SecretValues::default(), "1".into(), values(&[("a", "1"), ("b", "1")]));
        let after = merged(before, "2".into(), values(&[("b", "2")]));
        assert_eq!(after.values, values(&[("a", "1"), ("b", "2")]));
        assert!(after.present.iter().eq(["b"]));
        let gone = merged(after.clone(), String::new(), BTreeMap::new());
        assert_eq!((gone.values, gone.present.len()), (after.values, 0));
    }
}
