//! Which pod of a datastore may be restarted now. Comes in: a component's planned StatefulSets and what was seen. Goes out:
//! at most one step. StatefulSets are `OnDelete`, so nothing restarts unless it is decided here.
//!
//! The rules: one pod at a time in a component; replicas first, then a handover, then the one that led; only while
//! everything else in the component is known to be well; a pod that is broken anyway may be replaced at once; after a
//! replaced pod fails to come up, nothing more is touched, nor any other database of its engine; a datastore's only pod
//! is restarted after a rehearsal.

use super::handover::{self, Lead};
use super::rehearsal::{self, Rehearsal};
use crate::contract::Rollout;
use crate::names;
use crate::object::{ComponentId, Object};
use crate::observed::{Observed, Seen};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::task::Task;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

/// The next step of a component; at most one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub tasks: Vec<Task>,
    pub objects: Vec<Object>,
    pub waiting: Option<String>,
    /// Some pod has not its template, or is not ready.
    pub unfinished: bool,
}

/// One planned StatefulSet next to its pods.
pub(super) struct Set<'a> {
    pub rollout: &'a Rollout,
    pub object: &'a Object,
    pub body: &'a Value,
    pub replicas: u32,
    digest: &'a str,
    pub pods: Vec<&'a Pod>,
}

/// `before`: a component that is to finish first.
pub fn next_step(
    shop: &ValidatedShop,
    rollouts: &[Rollout],
    objects: &[Object],
    before: Option<&ComponentId>,
    seen: &Observed,
) -> Step {
    let Seen::Known(pods) = &seen.pods else {
        return Step::default();
    };
    let sets: Vec<Set> = rollouts
        .iter()
        .filter_map(|rollout| set(rollout, objects, pods))
        .collect();
    if !sets.iter().any(Set::is_outdated) {
        return Step {
            unfinished: !sets.iter().all(Set::is_ready),
            ..Step::default()
        };
    }
    Step {
        unfinished: true,
        ..step_of(shop, &sets, before, seen)
    }
}

fn step_of(shop: &ValidatedShop, sets: &[Set], before: Option<&ComponentId>, seen: &Observed) -> Step {
    if let Some(broken) = sets.iter().find_map(|set| set.broken(seen)) {
        return restart(broken, "it is broken and its template has changed");
    }
    if let Some(before) = before {
        return wait(format!("pods are restarted when those of {before} are, and ready"));
    }
    if let Some(why) = sets.iter().find_map(|set| set.unsettled(seen)) {
        return wait(why);
    }
    match sets.iter().find(|set| set.is_outdated()) {
        Some(set) => set.next(shop, seen),
        None => Step::default(),
    }
}

fn set<'a>(rollout: &'a Rollout, objects: &'a [Object], pods: &'a [Pod]) -> Option<Set<'a>> {
    let is_it =
        |body: &Value| body["kind"] == "StatefulSet" && body["metadata"]["name"] == rollout.stateful_set.as_str();
    let (object, body) = objects
        .iter()
        .filter_map(|object| Some((object, object.applied()?)))
        .find(|(_, body)| is_it(body))?;
    let replicas = u32::try_from(body["spec"]["replicas"].as_u64()?).ok()?;
    let digest = body["spec"]["template"]["metadata"]["annotations"][names::TEMPLATE_ANNOTATION].as_str()?;
    let of_set = |ordinal| {
        let name = names::pod(&rollout.stateful_set, ordinal);
        pods.iter().find(|candidate| pod::name(candidate) == name)
    };
    Some(Set {
        rollout,
        object,
        body,
        replicas,
        digest,
        pods: (0..replicas).filter_map(of_set).collect(),
    })
}

impl Set<'_> {
    pub(super) fn outdated(&self, pod: &Pod) -> bool {
        let annotations = pod.metadata.annotations.as_ref();
        annotations
            .and_then(|all| all.get(names::TEMPLATE_ANNOTATION))
            .is_none_or(|digest| digest != self.digest)
    }

    pub(super) fn digest(&self) -> &str {
        self.digest
    }

    fn is_outdated(&self) -> bool {
        self.pods.iter().any(|pod| self.outdated(pod))
    }

    fn is_ready(&self) -> bool {
        let ready = self.pods.iter().filter(|pod| pod::is_ready(pod));
        u32::try_from(ready.count()).is_ok_and(|ready| ready >= self.replicas)
    }

    /// An outdated pod that serves nobody: no restart can make it worse.
    fn broken(&self, seen: &Observed) -> Option<&Pod> {
        let nobody_ready = !self.pods.iter().any(|pod| pod::is_ready(pod));
        self.pods.iter().copied().find(|candidate| {
            let idle = !pod::is_leaving(candidate) && !pod::is_ready(candidate) && self.outdated(candidate);
            let follows = handover::lead(&self.rollout.handover, candidate, seen) == Lead::Follows;
            idle && (pod::problem_of(candidate).is_some() || nobody_ready || follows)
        })
    }

    /// Why no healthy pod may be restarted now.
    fn unsettled(&self, seen: &Observed) -> Option<String> {
        for pod in &self.pods {
            let name = pod::name(pod);
            if pod::is_leaving(pod) {
                return Some(format!("pod {name} is stopping"));
            }
            if !pod::is_ready(pod) {
                let why = pod::problem_of(pod).unwrap_or_else(|| format!("pod {name} is starting"));
                return Some(format!("{why}; no other pod is restarted until it is ready"));
            }
        }
        let found = u32::try_from(self.pods.len()).unwrap_or(u32::MAX);
        if found < self.replicas {
            return Some(format!(
                "{}: {found} of {} pods exist",
                self.rollout.stateful_set, self.replicas
            ));
        }
        handover::unsettled(&self.rollout.handover, &self.rollout.stateful_set, self.replicas, seen)
    }

    /// The step on a set whose pods are all ready.
    fn next(&self, shop: &ValidatedShop, seen: &Observed) -> Step {
        let lead = |pod: &Pod| handover::lead(&self.rollout.handover, pod, seen);
        let outdated = || self.pods.iter().rev().copied().filter(|pod| self.outdated(pod));
        if let Some(follower) = outdated().find(|pod| lead(pod) == Lead::Follows) {
            return restart(follower, "its template has changed");
        }
        let Some(leader) = outdated().next() else {
            return Step::default();
        };
        if let Some(task) = handover::hand_over(self, leader, seen) {
            return Step {
                tasks: vec![task],
                ..Step::default()
            };
        }
        if self.replicas > 1 && lead(leader) == Lead::Unknown {
            return wait(format!("whether pod {} leads is not known", pod::name(leader)));
        }
        self.rehearse(shop, leader, seen)
    }

    fn rehearse(&self, shop: &ValidatedShop, only: &Pod, seen: &Observed) -> Step {
        let (object, outcome) = rehearsal::rehearse(shop, self, only, seen);
        let step = match outcome {
            Rehearsal::Passed => restart(only, "its template has changed and the new image was tried"),
            Rehearsal::Pending => wait(format!(
                "the new image of {} is tried beside it first",
                self.rollout.stateful_set
            )),
            Rehearsal::Failed(why) => wait(format!("{why}; pod {} keeps running as it is", pod::name(only))),
        };
        Step {
            objects: vec![object],
            ..step
        }
    }
}

fn restart(restarted: &Pod, reason: &str) -> Step {
    let (pod, uid) = (pod::name(restarted).to_owned(), pod::uid(restarted).to_owned());
    Step {
        tasks: vec![Task::RestartPod {
            pod,
            uid,
            reason: reason.into(),
        }],
        ..Step::default()
    }
}

fn wait(why: String) -> Step {
    Step {
        waiting: Some(why),
        ..Step::default()
    }
}
