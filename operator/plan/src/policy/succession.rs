//! When built-in services give way to others: a shop that grows out of its one process, or shrinks into it. The gateway
//! sends customers to whoever serves now until all successors do; the old ones go when no gateway of before runs any more.

use crate::health::Health;
use crate::names;
use crate::object::{ComponentId, Object, Plan, Waiting};
use crate::observed::{Observed, Seen};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::validate::SINGLE;
use k8s_openapi::api::core::v1::Pod;
use shop_contract::service::ALL;
use std::collections::BTreeMap;

const GATEWAY: &str = "gateway";

pub fn hand_over(shop: &ValidatedShop, seen: &Observed, health: &BTreeMap<ComponentId, Health>, plan: &mut Plan) {
    // Their pods would run on in a shop that is to have none.
    if shop.suspend {
        return;
    }
    let Seen::Known(deployments) = &seen.deployments else {
        plan.keep.extend(strangers(shop));
        return;
    };
    let runs = |id: &str| {
        deployments
            .iter()
            .any(|one| component(&one.metadata.annotations) == Some(id))
    };
    let leaving: Vec<ComponentId> = strangers(shop).filter(|id| runs(&id.0)).collect();
    let Some(old) = leaving.first() else { return };
    let reason = match first_unserved(shop, health) {
        Some(successor) if runs(GATEWAY) => {
            plan.objects.retain(|object| object.component.0 != GATEWAY);
            plan.keep.push(GATEWAY.into());
            format!("sends customers to {old} until {successor} serves")
        }
        _ if sends_elsewhere(shop, seen, plan) => return,
        _ => format!("{old} is kept until every gateway pod knows its successors"),
    };
    plan.waiting.push(Waiting {
        component: GATEWAY.into(),
        reason,
    });
    plan.keep.extend(leaving);
}

/// The built-in services this shop does not have.
fn strangers(shop: &ValidatedShop) -> impl Iterator<Item = ComponentId> {
    let all = ALL.iter().map(|known| known.name).chain([SINGLE]);
    all.filter(|name| shop.services.iter().all(|service| service.name != *name))
        .map(service)
}

fn service(name: &str) -> ComponentId {
    ComponentId(format!("service/{name}"))
}

fn component(annotations: &Option<BTreeMap<String, String>>) -> Option<&str> {
    Some(annotations.as_ref()?.get(names::COMPONENT_ANNOTATION)?)
}

fn first_unserved(shop: &ValidatedShop, health: &BTreeMap<ComponentId, Health>) -> Option<ComponentId> {
    let successors = shop.services.iter().filter(|service| service.built_in.is_some());
    successors
        .map(|successor| service(&successor.name))
        .find(|id| !health.get(id).is_some_and(Health::serves))
}

/// Whether a gateway of the planned template is ready and none of another runs, not even one that is stopping.
fn sends_elsewhere(shop: &ValidatedShop, seen: &Observed, plan: &Plan) -> bool {
    let name = names::gateway(&shop.name);
    let is_deployment = |object: &&Object| object.kind() == "Deployment" && object.name() == name;
    let planned = plan.objects.iter().find(is_deployment).and_then(|object| {
        let annotations = &object.applied()?["spec"]["template"]["metadata"]["annotations"];
        annotations[names::TEMPLATE_ANNOTATION].as_str()
    });
    let Seen::Known(pods) = pod::pods_of(seen, GATEWAY, GATEWAY) else {
        return false;
    };
    let digest = |pod: &Pod| {
        let annotations = pod.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(names::TEMPLATE_ANNOTATION).cloned())
    };
    pods.iter().all(|pod| digest(pod).as_deref() == planned) && pods.iter().any(|pod| pod::is_ready(pod))
}
