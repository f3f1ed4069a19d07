//! The table of contents of the operator: every component's plan, joined and finished the same way.
//! Adds what no component should have to think of: owner, annotations, digests, suspension, restarts, the proof.

use crate::component;
use crate::contract::{Component, ComponentPlan, PlanError};
use crate::digest::digest_of_json;
use crate::health::{Health, State};
use crate::names;
use crate::object::{Body, ComponentId, Object, Plan, Waiting, Wave};
use crate::observed::{Observed, Seen};
use crate::policy::{autoscale, proof, rollout, succession};
use crate::shop::ValidatedShop;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Everything a shop needs now.
pub fn plan(shop: &ValidatedShop, seen: &Observed) -> Result<Plan, PlanError> {
    plan_with(&component::all(shop), shop, seen)
}

/// The same with chosen components, for their tests.
pub fn plan_with(components: &[Box<dyn Component>], shop: &ValidatedShop, seen: &Observed) -> Result<Plan, PlanError> {
    let health = healths(components, shop, seen);
    let mut plan = Plan::default();
    // Per engine, who is restarted before the others.
    let mut first: BTreeMap<String, ComponentId> = BTreeMap::new();
    for component in components {
        let id = component.id();
        let mut part = component.plan(shop, seen)?;
        part.objects.iter_mut().for_each(|object| finish(object, shop));
        autoscale::release_replicas(&mut part.objects);
        if shop.suspend {
            suspend(&mut part);
        } else if let Some(need) = first_unserved(component.as_ref(), &health)?
            && !has_run(&id, seen)
        {
            hold_back(&mut part, &id, &need, &mut plan);
        } else {
            roll(&mut part, &id, &mut first, shop, seen, &mut plan);
        }
        plan.objects.append(&mut part.objects);
        plan.tasks.append(&mut part.tasks);
        plan.waiting.append(&mut part.waiting);
    }
    if anything_unknown(seen) {
        plan.keep = components.iter().map(|component| component.id()).collect();
    }
    succession::hand_over(shop, seen, &health, &mut plan);
    plan.tasks.extend(proof::plan_proof(shop, &health));
    plan.objects
        .sort_by(|a, b| (a.wave, a.kind(), a.name()).cmp(&(b.wave, b.kind(), b.name())));
    plan.health = health;
    Ok(plan)
}

fn healths(components: &[Box<dyn Component>], shop: &ValidatedShop, seen: &Observed) -> BTreeMap<ComponentId, Health> {
    let of = |component: &dyn Component| {
        let health = component.health(shop, seen);
        let suspended = Health {
            state: State::Suspended,
            message: "suspended; data are kept".into(),
            ..health.clone()
        };
        (component.id(), if shop.suspend { suspended } else { health })
    };
    components.iter().map(|component| of(component.as_ref())).collect()
}

/// The first need that does not serve yet.
fn first_unserved(
    component: &dyn Component,
    health: &BTreeMap<ComponentId, Health>,
) -> Result<Option<ComponentId>, PlanError> {
    for need in component.needs() {
        match health.get(&need) {
            Some(health) if health.serves() => {}
            Some(_) => return Ok(Some(need)),
            None => {
                let reason = format!("needs {need}, which is no component of this shop");
                return Err(PlanError {
                    component: component.id(),
                    reason,
                });
            }
        }
    }
    Ok(None)
}

fn is_unknown(seen: &Observed) -> bool {
    matches!(seen.stateful_sets, Seen::Unknown(_)) || matches!(seen.deployments, Seen::Unknown(_))
}

/// A component may leave out an object it cannot decide about: nothing is pruned then.
fn anything_unknown(seen: &Observed) -> bool {
    is_unknown(seen)
        || matches!(seen.pods, Seen::Unknown(_))
        || matches!(seen.claims, Seen::Unknown(_))
        || matches!(seen.secrets, Seen::Unknown(_))
        || matches!(seen.shard_map, Seen::Unknown(_))
}

/// Whether a workload of this component exists. What is unknown may exist.
fn has_run(id: &ComponentId, seen: &Observed) -> bool {
    let is_its = |annotations: &Option<BTreeMap<String, String>>| {
        annotations
            .as_ref()
            .and_then(|all| all.get(names::COMPONENT_ANNOTATION))
            == Some(&id.0)
    };
    let sets = seen
        .stateful_sets
        .known()
        .is_some_and(|sets| sets.iter().any(|set| is_its(&set.metadata.annotations)));
    let deployments = seen
        .deployments
        .known()
        .is_some_and(|all| all.iter().any(|one| is_its(&one.metadata.annotations)));
    is_unknown(seen) || sets || deployments
}

/// Before its needs serve, a new component's pods would only fail and back off.
fn hold_back(part: &mut ComponentPlan, id: &ComponentId, need: &ComponentId, plan: &mut Plan) {
    part.objects
        .retain(|object| matches!(object.wave, Wave::Ground | Wave::Network));
    part.waiting = vec![Waiting {
        component: id.clone(),
        reason: format!("waits for {need}"),
    }];
    plan.keep.push(id.clone());
}

/// Databases of one engine have nearly the same template: the first goes through with it before the next begins.
fn roll(
    part: &mut ComponentPlan,
    id: &ComponentId,
    first: &mut BTreeMap<String, ComponentId>,
    shop: &ValidatedShop,
    seen: &Observed,
    plan: &mut Plan,
) {
    let engine = id.0.split('/').next().unwrap_or_default().to_owned();
    let step = rollout::next_step(shop, &part.rollouts, &part.objects, first.get(&engine), seen);
    if step.unfinished {
        first.entry(engine).or_insert_with(|| id.clone());
    }
    plan.tasks.extend(step.tasks);
    for mut object in step.objects {
        finish(&mut object, shop);
        plan.objects.push(object);
    }
    plan.waiting.extend(step.waiting.map(|reason| Waiting {
        component: id.clone(),
        reason,
    }));
}

/// Pods go, everything else stays; an autoscaler would start them again.
fn suspend(part: &mut ComponentPlan) {
    part.objects.retain(|object| object.kind() != "HorizontalPodAutoscaler");
    for object in &mut part.objects {
        if let Body::Applied(value) = &mut object.body
            && matches!(value["kind"].as_str(), Some("StatefulSet" | "Deployment"))
        {
            value["spec"]["replicas"] = json!(0);
        }
    }
    part.tasks.clear();
    part.waiting.clear();
}

fn finish(object: &mut Object, shop: &ValidatedShop) {
    let component = object.component.0.clone();
    let Body::Applied(value) = &mut object.body else { return };
    let kind = value["kind"].as_str().unwrap_or_default().to_owned();
    value["metadata"]["namespace"] = json!(shop.namespace);
    value["metadata"]["annotations"][names::COMPONENT_ANNOTATION] = json!(component);
    if kind != "PersistentVolumeClaim" && !shop.uid.is_empty() {
        value["metadata"]["ownerReferences"] = owner(shop);
    }
    if kind == "StatefulSet" || kind == "Deployment" {
        stamp_template(&mut value["spec"]["template"]);
    }
    if kind == "StatefulSet" {
        let replicas = value["spec"]["replicas"].to_string();
        value["metadata"]["annotations"][names::REPLICAS_ANNOTATION] = json!(replicas);
        if value["metadata"]["name"] == names::redis(&shop.name).as_str() {
            value["metadata"]["annotations"][names::SHARDS_ANNOTATION] = json!(shop.redis.shards.to_string());
        }
    }
}

/// Not `blockOwnerDeletion`: deleting a shop must never wait for a datastore.
fn owner(shop: &ValidatedShop) -> Value {
    json!([{
        "apiVersion": "shop-operator.io/v1alpha1",
        "kind": "ShopDeployment",
        "name": shop.name,
        "uid": shop.uid,
        "controller": true,
    }])
}

fn stamp_template(template: &mut Value) {
    let digest = digest_of_json(template);
    template["metadata"]["annotations"][names::TEMPLATE_ANNOTATION] = json!(digest);
}
