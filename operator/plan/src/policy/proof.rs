//! When a test order is worth placing: when everything serves; or when some of it cannot be looked at and an order was
//! tried before, which may be all that still tells how the shop does. How often is the controller's business (once a minute, at
//! once after a change), because the clock is.

use crate::health::{Health, State};
use crate::names;
use crate::object::ComponentId;
use crate::observed::Observed;
use crate::shop::ValidatedShop;
use crate::task::{SecretRef, Task};
use std::collections::BTreeMap;

pub fn plan_proof(shop: &ValidatedShop, health: &BTreeMap<ComponentId, Health>, seen: &Observed) -> Option<Task> {
    let tried = seen.proof.known().is_some();
    let may_serve = |health: &Health| health.serves() || (tried && health.state == State::Unknown);
    let serves = !health.is_empty() && health.values().all(may_serve);
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
