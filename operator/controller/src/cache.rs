//! What the watches have brought: the shops, and per shop its objects as compact JSON. In come watch events and the
//! answers to our own writes, out go typed lists of one shop. It asks nobody and decides nothing; "not listed yet" is told
//! apart from "not there".

use crate::body::{Body, body_of};
use crate::kinds::{KINDS, KindIndex, index_of, kind_at};
use kube::api::{DynamicObject, ObjectMeta};
use serde::de::DeserializeOwned;
use shop_api::ShopDeployment;
use shop_plan::Seen;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";

/// A shop, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopKey {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for ShopKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.namespace, self.name)
    }
}

/// One object: enough of its metadata to decide without parsing, and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub uid: String,
    pub resource_version: String,
    /// Uid of the owner that controls it.
    pub owner: Option<String>,
    pub deleting: bool,
    body: Body,
}

pub type ObjectKey = (KindIndex, String);

#[derive(Default)]
struct Inner {
    shops: HashMap<ShopKey, Arc<ShopDeployment>>,
    objects: HashMap<ShopKey, BTreeMap<ObjectKey, Entry>>,
    shops_listed: bool,
    listed: HashSet<KindIndex>,
}

#[derive(Default)]
pub struct Cache(RwLock<Inner>);

impl Inner {
    /// An object belongs to one shop: the others of its namespace no longer have it. Returns those that had it.
    fn take_from_others(&mut self, shop: &ShopKey, object: &ObjectKey) -> Vec<ShopKey> {
        let others = self
            .objects
            .iter_mut()
            .filter(|(other, _)| other.namespace == shop.namespace && *other != shop);
        others
            .filter_map(|(other, objects)| objects.remove(object).map(|_| other.clone()))
            .collect()
    }
}

impl Entry {
    fn of(kind: KindIndex, object: &DynamicObject) -> Self {
        let meta = &object.metadata;
        let owners = meta.owner_references.as_deref().unwrap_or_default();
        let ours = owners
            .iter()
            .any(|owner| owner.controller == Some(true) && owner.kind == "ShopDeployment");
        Self {
            uid: meta.uid.clone().unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
            owner: owners
                .iter()
                .find(|owner| owner.controller == Some(true))
                .map(|owner| owner.uid.clone()),
            deleting: meta.deletion_timestamp.is_some(),
            body: body_of(kind_at(kind), object, ours),
        }
    }

    /// The object as JSON; an empty object when it cannot be read, which then counts as "differs".
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body.whole).unwrap_or_default()
    }

    /// Its metadata; `None` when they cannot be read.
    pub fn meta(&self) -> Option<ObjectMeta> {
        serde_json::from_value(self.value().get_mut("metadata")?.take()).ok()
    }
}

/// The shop an object belongs to, by its label.
pub fn shop_of(meta: &ObjectMeta) -> Option<ShopKey> {
    let name = meta.labels.as_ref()?.get(INSTANCE_LABEL)?;
    Some(ShopKey {
        namespace: meta.namespace.clone()?,
        name: name.clone(),
    })
}

fn newer(candidate: &str, than: &str) -> bool {
    match (candidate.parse::<u64>(), than.parse::<u64>()) {
        (Ok(candidate), Ok(than)) => candidate > than,
        _ => candidate != than,
    }
}

impl Cache {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an object in; returns the shops to which the change may matter: its own, and one it had before if its label
    /// was changed. An older version than the known one is ignored.
    pub fn put(&self, kind: KindIndex, object: &DynamicObject) -> Vec<ShopKey> {
        let (Some(shop), Some(name)) = (shop_of(&object.metadata), object.metadata.name.clone()) else {
            return Vec::new();
        };
        let entry = Entry::of(kind, object);
        let mut inner = self.write();
        let before = inner
            .objects
            .entry(shop.clone())
            .or_default()
            .get(&(kind, name.clone()));
        if before
            .is_some_and(|before| before.uid == entry.uid && !newer(&entry.resource_version, &before.resource_version))
        {
            return Vec::new();
        }
        let mut matters = Vec::new();
        if before.is_none() {
            matters = inner.take_from_others(&shop, &(kind, name.clone()));
        }
        inner
            .objects
            .entry(shop.clone())
            .or_default()
            .insert((kind, name), entry);
        matters.push(shop);
        matters
    }

    pub fn remove(&self, kind: KindIndex, meta: &ObjectMeta) -> Option<ShopKey> {
        let shop = shop_of(meta)?;
        let name = meta.name.clone()?;
        let mut inner = self.write();
        let objects = inner.objects.get_mut(&shop)?;
        let gone = objects.remove(&(kind, name));
        if objects.is_empty() {
            inner.objects.remove(&shop);
        }
        gone.map(|_| shop)
    }

    /// The first (or a renewed) list of a kind is complete: what it did not hold is gone.
    pub fn listed(&self, kind: KindIndex, seen: &HashSet<(ShopKey, String)>) -> Vec<ShopKey> {
        let mut inner = self.write();
        let mut changed = Vec::new();
        for (shop, objects) in &mut inner.objects {
            let before = objects.len();
            objects.retain(|(k, name), _| *k != kind || seen.contains(&(shop.clone(), name.clone())));
            if objects.len() != before {
                changed.push(shop.clone());
            }
        }
        inner.objects.retain(|_, objects| !objects.is_empty());
        inner.listed.insert(kind);
        changed
    }

    pub fn put_shop(&self, shop: ShopDeployment) -> Option<ShopKey> {
        let key = ShopKey {
            namespace: shop.metadata.namespace.clone()?,
            name: shop.metadata.name.clone()?,
        };
        let mut inner = self.write();
        let version = |shop: &ShopDeployment| shop.metadata.resource_version.clone().unwrap_or_default();
        if let Some(known) = inner.shops.get(&key)
            && known.metadata.uid == shop.metadata.uid
            && !newer(&version(&shop), &version(known))
        {
            return None;
        }
        let before = inner.shops.insert(key.clone(), Arc::new(shop));
        let now = inner.shops.get(&key)?;
        let matters = before.is_none_or(|before| {
            before.metadata.generation != now.metadata.generation
                || before.metadata.uid != now.metadata.uid
                || before.metadata.annotations != now.metadata.annotations
                || before.metadata.deletion_timestamp != now.metadata.deletion_timestamp
        });
        matters.then_some(key)
    }

    /// Takes in the answer to a write of ours, unless the shop has gone or become another meanwhile.
    pub fn put_shop_if_known(&self, key: &ShopKey, mut shop: ShopDeployment) {
        shop.metadata.managed_fields = None;
        let mut inner = self.write();
        let Some(known) = inner.shops.get_mut(key) else { return };
        let version = |shop: &ShopDeployment| shop.metadata.resource_version.clone().unwrap_or_default();
        // A newer generation has its own event, which must not find itself known already.
        let same = known.metadata.uid == shop.metadata.uid && known.metadata.generation == shop.metadata.generation;
        if same && newer(&version(&shop), &version(known)) {
            *known = Arc::new(shop);
        }
    }

    pub fn remove_shop(&self, key: &ShopKey) {
        self.write().shops.remove(key);
    }

    /// The list of shops is complete; returns every key that has a shop, or objects without one.
    pub fn shops_listed(&self, seen: &HashSet<ShopKey>) -> Vec<ShopKey> {
        let mut inner = self.write();
        inner.shops.retain(|key, _| seen.contains(key));
        inner.shops_listed = true;
        let keys: HashSet<ShopKey> = inner.shops.keys().chain(inner.objects.keys()).cloned().collect();
        keys.into_iter().collect()
    }

    pub fn shop(&self, key: &ShopKey) -> Option<Arc<ShopDeployment>> {
        self.read().shops.get(key).cloned()
    }

    /// All first lists are in.
    pub fn complete(&self) -> bool {
        let inner = self.read();
        inner.shops_listed && inner.listed.len() == KINDS.len()
    }

    pub fn shops_known(&self) -> bool {
        self.read().shops_listed
    }

    pub fn known(&self, kind: KindIndex) -> bool {
        self.read().listed.contains(&kind)
    }

    /// Kinds whose first list is still awaited, for messages.
    pub fn missing(&self) -> Vec<&'static str> {
        let inner = self.read();
        let listed = |index: usize| inner.listed.contains(&(index as KindIndex));
        KINDS
            .iter()
            .enumerate()
            .filter(|(index, _)| !listed(*index))
            .map(|(_, kind)| kind.kind)
            .collect()
    }

    pub fn entry(&self, shop: &ShopKey, kind: KindIndex, name: &str) -> Option<Entry> {
        self.read().objects.get(shop)?.get(&(kind, name.to_owned())).cloned()
    }

    pub fn entries(&self, shop: &ShopKey) -> Vec<(ObjectKey, Entry)> {
        let inner = self.read();
        let Some(objects) = inner.objects.get(shop) else {
            return Vec::new();
        };
        objects
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect()
    }

    /// All objects of one kind and shop, typed; `Unknown` until the kind has been listed once.
    pub fn list<T: DeserializeOwned>(&self, shop: &ShopKey, kind: &str) -> Seen<Vec<T>> {
        let Some(index) = index_of(kind) else {
            return Seen::Unknown(format!("{kind} is not watched"));
        };
        if !self.known(index) {
            return Seen::Unknown(format!("{kind}: the first list is not complete"));
        }
        let bodies = self.bodies(shop, index);
        Seen::Known(
            bodies
                .iter()
                .filter_map(|body| serde_json::from_slice(body).ok())
                .collect(),
        )
    }

    /// Kept apart, so that nobody waits for the lock while objects are parsed.
    fn bodies(&self, shop: &ShopKey, kind: KindIndex) -> Vec<Arc<[u8]>> {
        let inner = self.read();
        let Some(objects) = inner.objects.get(shop) else {
            return Vec::new();
        };
        let from = objects.range((kind, String::new())..);
        from.take_while(|((of, _), _)| *of == kind)
            .map(|(_, entry)| entry.body.slim.clone())
            .collect()
    }

    pub fn names(&self, shop: &ShopKey, kind: KindIndex) -> Vec<String> {
        let inner = self.read();
        let Some(objects) = inner.objects.get(shop) else {
            return Vec::new();
        };
        let from = objects.range((kind, String::new())..);
        from.take_while(|((of, _), _)| *of == kind)
            .map(|((_, name), _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests;
