//! When a test order is worth placing: when everything serves. How often is the controller's business (once a minute, at
//! once after a change), because the clock is.

use crate::health::Health;
use crate::names;
use crate::object::ComponentId;
use crate::shop::ValidatedShop;
use crate::task::{SecretRef, Task};
use std::collections::BTreeMap;

pub fn plan_proof(shop: &ValidatedShop, health: &BTreeMap<ComponentId, Health>) -> Option<Task> {
    let serves = !health.is_empty() && health.values().all(Health::serves);
    (serves && !shop.suspend).then(|| Task::Prove {
        gateway: names::host(&shop.namespace, &names::gateway(&shop.name)),
        synthetic_key: SecretRef {
            secret: names::secret(&shop.name),
            key: names::key::SYNTHETIC_KEY.into(),
        },
        shards: (0..shop.orders().shards).collect(),
        generation: shop.generation,
    })
}
