//! How a set of pods does, read once for every component. Comes in: what was seen. Goes out: counts and the first thing
//! that is wrong, in words that name the object. Must not decide what a component makes of it.

use super::workload::CLAIM;
use crate::health::{Health, State};
use crate::object::ComponentId;
use crate::observed::{Observed, Seen};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::task::{PodAddress, SecretRef, Task};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};

/// The pods of one workload.
pub struct Standing<'a> {
    pub pods: Vec<&'a Pod>,
    pub ready: u32,
    /// The first thing waiting does not cure.
    pub problem: Option<String>,
}

/// `Err` says why the pods could not be looked at.
pub fn standing<'a>(seen: &'a Observed, component: &str, name: &str) -> Result<Standing<'a>, String> {
    let pods = match pod::pods_of(seen, component, name) {
        Seen::Known(pods) => pods,
        Seen::Absent => Vec::new(),
        Seen::Unknown(why) => return Err(why),
    };
    let ready = pods.iter().filter(|pod| pod::is_ready(pod)).count();
    let stuck = || {
        pods.iter()
            .filter(|pod| !pod::is_leaving(pod))
            .find_map(|pod| pod::problem_of(pod))
    };
    let problem = pending_claim(seen, &pods).or_else(stuck);
    Ok(Standing {
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        problem,
        pods,
    })
}

impl Standing<'_> {
    /// Where the Patroni of each ready pod answers.
    pub fn patronis(&self) -> Vec<PodAddress> {
        let ready = self.pods.iter().filter(|pod| pod::is_ready(pod));
        ready.filter_map(|pod| pod::patroni(pod)).collect()
    }
}

/// A claim that waits because the cluster has no default storage class: the one thing a pod's own message hides.
fn pending_claim(seen: &Observed, pods: &[&Pod]) -> Option<String> {
    let claims = seen.claims.known()?;
    pods.iter().find_map(|pod| {
        let name = format!("{CLAIM}-{}", pod::name(pod));
        let claim = claims
            .iter()
            .find(|claim| claim.metadata.name.as_deref() == Some(&name))?;
        (is_pending(claim) && class_of(claim).is_none()).then(|| {
            format!(
                "pod {}: PersistentVolumeClaim {name} is Pending: no default StorageClass; name one in \
                 storage.className or mark one as default",
                pod::name(pod)
            )
        })
    })
}

fn is_pending(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending")
}

fn class_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim
        .spec
        .as_ref()?
        .storage_class_name
        .as_deref()
        .filter(|class| !class.is_empty())
}

/// How many pods a StatefulSet has, or would have if the shop were not suspended; `None` when there is none.
pub fn standing_replicas(seen: &Observed, name: &str) -> Option<u32> {
    let is_it = |set: &&StatefulSet| set.metadata.name.as_deref() == Some(name);
    let set = seen.stateful_sets.known()?.iter().find(is_it)?;
    let runs = set.spec.as_ref()?.replicas.and_then(|count| u32::try_from(count).ok());
    let annotations = set.metadata.annotations.as_ref();
    let noted = annotations.and_then(|all| all.get(crate::names::REPLICAS_ANNOTATION)?.parse().ok());
    runs.max(noted)
}

pub fn deployment<'a>(seen: &'a Observed, name: &str) -> Option<&'a Deployment> {
    seen.deployments
        .known()?
        .iter()
        .find(|found| found.metadata.name.as_deref() == Some(name))
}

/// Pods that hold no data: any ready one serves.
pub fn stateless(seen: &Observed, component: &str, name: &str, object: &str, wanted: u32) -> Health {
    let standing = match standing(seen, component, name) {
        Ok(standing) => standing,
        Err(why) => return Health::unknown(format!("{object}: {why}")),
    };
    let Standing { pods, ready, problem } = standing;
    let fallback = || format!("{object}: {ready} of {wanted} pods are ready");
    if ready == 0 {
        // Pods that were ready once and are not any more did not just start.
        let state = if problem.is_some() {
            State::Unavailable
        } else {
            State::Progressing
        };
        return Health::new(state, problem.unwrap_or_else(fallback), ready, wanted);
    }
    if let Some(problem) = problem {
        return Health::new(State::Degraded, problem, ready, wanted);
    }
    if ready < wanted {
        return Health::new(State::Degraded, fallback(), ready, wanted);
    }
    let updated = deployment(seen, object).and_then(|found| found.status.as_ref()?.updated_replicas);
    match updated.and_then(|updated| u32::try_from(updated).ok()) {
        Some(updated) if updated < wanted && pods.len() as u64 > u64::from(updated) => {
            let message = format!("{object}: {updated} of {wanted} pods run the new version");
            Health::new(State::Degraded, message, ready, wanted)
        }
        Some(_) | None => Health::new(State::Ready, "", ready, wanted),
    }
}

/// Everything is at zero, as wished.
pub fn suspended(shop: &ValidatedShop) -> Option<Health> {
    shop.suspend
        .then(|| Health::new(State::Suspended, "suspended: data are kept", 0, 0))
}

/// The task, unless this very task has already succeeded.
pub fn due(seen: &Observed, task: Task) -> Option<Task> {
    let done = seen
        .done
        .get(&task.key())
        .is_some_and(|outcome| outcome.succeeded && outcome.digest == task.digest());
    (!done).then_some(task)
}

/// Why this task failed when it ran last.
pub fn failure_of<'a>(seen: &'a Observed, task: &Task) -> Option<&'a str> {
    let outcome = seen.done.get(&task.key())?;
    (!outcome.succeeded).then_some(outcome.message.as_str())
}

pub fn secret(shop: &ValidatedShop, key: impl Into<String>) -> SecretRef {
    SecretRef {
        secret: crate::names::secret(&shop.name),
        key: key.into(),
    }
}

pub fn id(id: impl Into<String>) -> ComponentId {
    ComponentId(id.into())
}
