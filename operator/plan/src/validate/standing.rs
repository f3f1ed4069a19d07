//! What a shop was created with and cannot change, so that a larger audience or a new table of sizes in a newer operator
//! never moves it. A StatefulSet can be lost, and the first creation can stop half way: so the shape is read from the shard
//! map and the StatefulSets together, and where those are gone from the volume claims. Claims outlive the shop itself: one
//! made again over them gets its old shape.

use crate::component::CLAIM;
use crate::names;
use crate::observed::{Observed, Seen};
use crate::quantity;
use crate::shop::Bytes;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use shop_contract::database::ORDERS;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub orders_shards: Option<u16>,
    pub redis_shards: Option<u16>,
    pub rabbitmq_nodes: Option<u16>,
    /// By StatefulSet.
    pub volumes: BTreeMap<String, Volume>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    pub size: Bytes,
    pub class_name: Option<String>,
    /// Told by a claim, which its owner may have grown: it holds this much or less.
    pub claimed: bool,
}

impl Standing {
    /// `Err` while StatefulSets or claims could not be read: no plan is made then, since it could be the wrong one. A shard
    /// map that cannot be read hides nothing: the claims tell of every shard that ever ran.
    pub fn of(shop: &str, seen: &Observed) -> Result<Self, String> {
        let (mut live, mut kept) = (Self::default(), Self::default());
        all(&seen.stateful_sets)?
            .iter()
            .for_each(|set| live.read_set(shop, set));
        all(&seen.claims)?.iter().for_each(|claim| kept.read_claim(shop, claim));
        let mapped = seen
            .shard_map
            .known()
            .and_then(|map| u16::try_from(map.shards.len()).ok());
        Ok(Self {
            // Customers are where the map says; claims may be left from an earlier shop with more shards.
            orders_shards: live.orders_shards.max(mapped.or(kept.orders_shards)),
            redis_shards: live.redis_shards.or(kept.redis_shards),
            rabbitmq_nodes: live.rabbitmq_nodes.or(kept.rabbitmq_nodes),
            volumes: kept.volumes.into_iter().chain(live.volumes).collect(),
        })
    }

    fn read_set(&mut self, shop: &str, set: &StatefulSet) {
        let name = name(&set.metadata);
        self.orders_shards = self.orders_shards.max(shards_up_to(shop, name));
        if name == names::redis(shop) {
            self.redis_shards = note(&set.metadata, names::SHARDS_ANNOTATION);
        } else if name == names::rabbitmq(shop) {
            self.rabbitmq_nodes = note(&set.metadata, names::REPLICAS_ANNOTATION);
        }
        let templates = set.spec.as_ref().and_then(|spec| spec.volume_claim_templates.as_ref());
        let template = templates.and_then(|templates| templates.first()?.spec.as_ref());
        let volume = template.and_then(|template| volume(template, false));
        self.volumes.extend(volume.map(|volume| (name.to_owned(), volume)));
    }

    fn read_claim(&mut self, shop: &str, claim: &PersistentVolumeClaim) {
        let Some((set, ordinal)) = pod_of(claim) else { return };
        self.orders_shards = self.orders_shards.max(shards_up_to(shop, set));
        if set == names::redis(shop) {
            self.redis_shards = self.redis_shards.max(note(&claim.metadata, names::SHARDS_ANNOTATION));
        } else if set == names::rabbitmq(shop) {
            // The number of nodes is odd: the last claim may not have been made when the set was lost.
            self.rabbitmq_nodes = self.rabbitmq_nodes.max(Some(ordinal.saturating_add(1) | 1));
        }
        if let Some(volume) = claim.spec.as_ref().and_then(|spec| volume(spec, true)) {
            let known = self.volumes.entry(set.to_owned()).or_insert_with(|| volume.clone());
            // One instance's volume may have been grown alone.
            if volume.size < known.size {
                *known = volume;
            }
        }
    }
}

fn all<T>(seen: &Seen<Vec<T>>) -> Result<&[T], String> {
    match seen {
        Seen::Absent => Ok(&[]),
        Seen::Unknown(why) => Err(format!("what there is of the shop is not known: {why}")),
        Seen::Known(all) => Ok(all),
    }
}

fn name(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

fn note(meta: &ObjectMeta, key: &str) -> Option<u16> {
    meta.annotations.as_ref()?.get(key)?.parse().ok()
}

/// How many shards of `orders` there must be for this StatefulSet to be one of theirs.
fn shards_up_to(shop: &str, set: &str) -> Option<u16> {
    let index = set.strip_prefix(shop)?.strip_prefix('-')?.strip_prefix(ORDERS)?;
    let index: u16 = index.strip_prefix('-')?.parse().ok()?;
    Some(index.saturating_add(1))
}

/// `data-demo-orders-1-0` → StatefulSet `demo-orders-1`, ordinal 0.
fn pod_of(claim: &PersistentVolumeClaim) -> Option<(&str, u16)> {
    let pod = name(&claim.metadata).strip_prefix(CLAIM)?.strip_prefix('-')?;
    let (set, ordinal) = pod.rsplit_once('-')?;
    Some((set, ordinal.parse().ok()?))
}

fn volume(claim: &PersistentVolumeClaimSpec, claimed: bool) -> Option<Volume> {
    let size = claim.resources.as_ref()?.requests.as_ref()?.get("storage")?;
    Some(Volume {
        size: quantity::bytes(&size.0).ok()?,
        class_name: claim.storage_class_name.clone(),
        claimed,
    })
}
