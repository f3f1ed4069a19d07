//! What a shop was created with and cannot change: read from its StatefulSets, so that a larger audience or a new table of
//! sizes in a newer operator never moves it.

use crate::names;
use crate::observed::{Observed, Seen};
use crate::quantity;
use crate::shop::Bytes;
use k8s_openapi::api::apps::v1::StatefulSet;
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
}

impl Standing {
    /// `Err` while the StatefulSets could not be read: no plan is made then, since it could be the wrong one.
    pub fn of(shop: &str, seen: &Observed) -> Result<Self, String> {
        match &seen.stateful_sets {
            Seen::Absent => Ok(Self::default()),
            Seen::Unknown(why) => Err(format!("what runs of the shop is not known: {why}")),
            Seen::Known(sets) => Ok(Self::from_sets(shop, sets)),
        }
    }

    fn from_sets(shop: &str, sets: &[StatefulSet]) -> Self {
        let mut standing = Self::default();
        let orders = format!("{shop}-{}-", shop_contract::database::ORDERS);
        for set in sets {
            let Some(name) = set.metadata.name.clone() else {
                continue;
            };
            let note = |key| set.metadata.annotations.as_ref()?.get(key)?.parse::<u16>().ok();
            if let Some(index) = name.strip_prefix(&orders).and_then(|index| index.parse::<u16>().ok()) {
                standing.orders_shards = standing.orders_shards.max(Some(index.saturating_add(1)));
            } else if name == names::redis(shop) {
                standing.redis_shards = note(names::SHARDS_ANNOTATION);
            } else if name == names::rabbitmq(shop) {
                standing.rabbitmq_nodes = note(names::REPLICAS_ANNOTATION);
            }
            standing.volumes.extend(volume(set).map(|volume| (name, volume)));
        }
        standing
    }
}

fn volume(set: &StatefulSet) -> Option<Volume> {
    let claim = set
        .spec
        .as_ref()?
        .volume_claim_templates
        .as_ref()?
        .first()?
        .spec
        .as_ref()?;
    let size = claim.resources.as_ref()?.requests.as_ref()?.get("storage")?;
    Some(Volume {
        size: quantity::bytes(&size.0).ok()?,
        class_name: claim.storage_class_name.clone(),
    })
}
