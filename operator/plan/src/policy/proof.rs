//! When a test order is worth placing: when everything serves, as far as is known. How often is the controller's business
//! (every interval, at once after a change), because the clock is.

use crate::health::{Health, State};
use crate::names;
use crate::object::ComponentId;
use crate::shop::ValidatedShop;
use crate::task::{SecretRef, Task};
use std::collections::BTreeMap;
use std::time::Duration;

/// How old a successful test order may become before the next.
pub const INTERVAL: Duration = Duration::from_secs(60);

/// A component that cannot be looked at may serve all the same; the test order is what tells.
pub fn plan_proof(shop: &ValidatedShop, health: &BTreeMap<ComponentId, Health>) -> Option<Task> {
    let may_serve = |health: &Health| health.serves() || health.state == State::Unknown;
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
