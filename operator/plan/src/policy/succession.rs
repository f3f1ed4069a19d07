//! The smallest size runs its services in one process, every other one each by itself. A shop that changes sides goes on
//! with what serves: the successors come up beside it, then the gateway turns to them, and then the predecessors go.
//! Comes in: what was seen and how everything does. Goes out: who is succeeded, and how far that is.

use crate::health::{Health, State};
use crate::names;
use crate::object::{ComponentId, Plan};
use crate::observed::Observed;
use crate::shop::ValidatedShop;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Succession {
    /// They serve, and are no part of the shop any more.
    pub predecessors: Vec<ComponentId>,
    successors_serve: bool,
}

/// Of the built-in services; one of the user's own has no successor.
pub fn of(shop: &ValidatedShop, seen: &Observed, health: &BTreeMap<ComponentId, Health>) -> Succession {
    let built_in = || shop.services.iter().filter(|service| service.built_in.is_some());
    let id = |name: &str| ComponentId(format!("service/{name}"));
    let successors: Vec<ComponentId> = built_in().map(|service| id(&service.name)).collect();
    let known = shop_contract::service::ALL.iter().map(|known| known.name);
    let mut predecessors: Vec<ComponentId> = known.chain([crate::validate::SINGLE]).map(id).collect();
    predecessors.retain(|id| !successors.contains(id) && serves(id, seen));
    Succession {
        predecessors,
        successors_serve: successors
            .iter()
            .all(|id| health.get(id).is_some_and(|health| health.state == State::Ready)),
    }
}

impl Succession {
    /// Why the gateway stays as it is; it would turn customers to services that are not up.
    pub fn holds_the_gateway(&self) -> Option<String> {
        let first = self.predecessors.first()?;
        (!self.successors_serve).then(|| format!("stays with {first} until the services that follow it are ready"))
    }

    /// Whether every gateway pod knows the successors.
    pub fn is_over(&self, plan: &Plan, shop: &ValidatedShop, seen: &Observed) -> bool {
        let name = names::gateway(&shop.name);
        let is_it = |body: &&Value| body["kind"] == "Deployment" && body["metadata"]["name"] == name.as_str();
        let planned = plan.objects.iter().filter_map(|object| object.applied()).find(is_it);
        let live = crate::component::deployment(seen, &name);
        self.successors_serve
            && planned
                .zip(live)
                .is_some_and(|(planned, live)| is_rolled_out(planned, live))
    }
}

fn serves(id: &ComponentId, seen: &Observed) -> bool {
    let deployments = seen.deployments.known().map(Vec::as_slice).unwrap_or_default();
    deployments.iter().any(|one| {
        let annotations = one.metadata.annotations.as_ref();
        let its = annotations.and_then(|all| all.get(names::COMPONENT_ANNOTATION)) == Some(&id.0);
        let ready = one.status.as_ref().and_then(|status| status.ready_replicas);
        its && ready.is_some_and(|ready| ready > 0)
    })
}

/// All its pods, and no other, were made from the planned template and can be used.
fn is_rolled_out(planned: &Value, live: &Deployment) -> bool {
    let template = |annotations: Option<&BTreeMap<String, String>>| {
        annotations
            .and_then(|all| all.get(names::TEMPLATE_ANNOTATION))
            .map_or(Value::Null, |digest| json!(digest))
    };
    let annotations = live
        .spec
        .as_ref()
        .and_then(|spec| spec.template.metadata.as_ref()?.annotations.as_ref());
    let same =
        planned["spec"]["template"]["metadata"]["annotations"][names::TEMPLATE_ANNOTATION] == template(annotations);
    let Some(status) = &live.status else { return false };
    let wanted = planned["spec"]["replicas"].as_i64().map_or(1, |count| count as i32);
    let all = [status.updated_replicas, status.available_replicas, status.replicas];
    same && status.observed_generation == live.metadata.generation && all.iter().all(|count| *count == Some(wanted))
}
