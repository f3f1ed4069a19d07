//! What is seen → the next steps towards a healthy cluster. Pure.
//!
//! One wave at a time: introduce, then part with the gone, then give out slots, then pair replicas; each wave is decided
//! anew from what is seen after the last. Who does not answer is unknown, not absent: with a silent member nothing is
//! formed, forgotten or given out. Data is never deleted; slots are given out only when nobody at all holds them.

mod gone;
mod join;
mod replicas;
mod slots;
#[cfg(test)]
mod tests;

use super::seen::{Sighting, Told};
use super::{Member, Shape};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `at` learns of `other`, which has `id`, at its present address.
    Meet {
        at: String,
        other: String,
        ip: String,
        port: u16,
    },
    /// `at` becomes primary of its dead primary's slots without asking the others, most of whom are gone too.
    TakeOver {
        at: String,
        gone: String,
    },
    /// `at` strikes a node that no member is any more.
    Forget {
        at: String,
        id: String,
    },
    AddSlots {
        at: String,
        ranges: Vec<(u16, u16)>,
    },
    Replicate {
        at: String,
        primary: String,
        primary_id: String,
    },
}

impl Step {
    /// The member that is asked.
    pub fn at(&self) -> &str {
        match self {
            Step::Meet { at, .. }
            | Step::TakeOver { at, .. }
            | Step::Forget { at, .. }
            | Step::AddSlots { at, .. }
            | Step::Replicate { at, .. } => at,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Meet { at, other, .. } => write!(f, "introduce {other} to {at}"),
            Step::TakeOver { at, gone } => write!(f, "make {at} primary in the place of {gone:.8}, which is gone"),
            Step::Forget { at, id } => write!(f, "let {at} forget {id:.8}, which is gone"),
            Step::AddSlots { at, ranges } => {
                let count: u32 = ranges.iter().map(|(first, last)| u32::from(last - first) + 1).sum();
                write!(f, "give {count} slots to {at}")
            }
            Step::Replicate { at, primary, .. } => write!(f, "make {at} a replica of {primary}"),
        }
    }
}

/// Steps to take now; what is waited for when there are none; what no step can mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub steps: Vec<Step>,
    /// Comes by itself, within seconds.
    pub waiting: Option<String>,
    /// Needs somebody else to act first, e.g. a pod that is not there.
    pub blocked: Vec<String>,
    /// True, but no reason to act: a pair on one machine that cannot be avoided.
    pub warnings: Vec<String>,
}

/// `patient` is false at first and true once the cluster had time for its own failover.
pub(super) fn decide(seen: &[Sighting], shape: Shape, patient: bool) -> Decision {
    let mut decision = Decision::default();
    for Sighting { member, told } in seen {
        if let Err(why) = told {
            decision.blocked.push(format!("{} does not answer: {why}", member.pod));
        }
    }
    let wanted = usize::from(shape.shards) * (1 + usize::from(shape.replicas));
    if seen.len() < wanted {
        decision
            .blocked
            .push(format!("{} of {wanted} servers are there", seen.len()));
    }
    let all_there = decision.blocked.is_empty();
    let cluster = Cluster::of(seen);
    if cluster.members.is_empty() {
        return decision;
    }
    if !all_there && cluster.members.iter().all(|(_, told)| told.blank()) {
        decision.waiting = None;
        decision
            .blocked
            .push("a new cluster is formed when all servers answer".to_owned());
        return decision;
    }
    cluster.introduce(patient, &mut decision);
    if decision.settled() && all_there {
        cluster.part_with_gone(patient, &mut decision);
    }
    if decision.settled() && all_there {
        cluster.give_out_slots(shape, &mut decision);
    }
    if decision.settled() {
        cluster.pair_replicas(shape, all_there, &mut decision);
    }
    if decision.settled() {
        cluster.reattach(patient, &mut decision);
    }
    if decision.settled() {
        cluster.await_health(&mut decision);
    }
    decision
}

impl Decision {
    fn settled(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }
}

/// The members that answered, and the one whose view counts.
struct Cluster<'a> {
    members: Vec<(&'a Member, &'a Told)>,
    anchor: usize,
}

impl<'a> Cluster<'a> {
    fn of(seen: &'a [Sighting]) -> Self {
        let members: Vec<_> = seen
            .iter()
            .filter_map(|s| Some((&s.member, s.told.as_ref().ok()?)))
            .collect();
        // Whoever knows of most slots and sees most of the others; the first of equals, so that it stays the same one.
        let rank = |told: &Told| {
            let slots: u32 = told.lines.values().map(|line| u32::from(line.slot_count())).sum();
            let linked = told.lines.values().filter(|line| line.linked && !line.failing).count();
            (slots, linked, told.lines.len())
        };
        let best = members.iter().map(|(_, told)| rank(told)).max();
        let anchor = members
            .iter()
            .position(|(_, told)| Some(rank(told)) == best)
            .unwrap_or(0);
        Self { members, anchor }
    }

    fn anchor(&self) -> (&'a Member, &'a Told) {
        self.members[self.anchor]
    }

    fn pod_of(&self, id: &str) -> Option<&'a Member> {
        self.members
            .iter()
            .find(|(_, told)| told.id == id)
            .map(|(member, _)| *member)
    }

    /// A server with slots or keys that shares no acquaintance with the anchor belongs to something else.
    fn stranger(&self, told: &Told) -> bool {
        let (_, anchor) = self.anchor();
        let related = anchor.lines.contains_key(&told.id) || told.lines.keys().any(|id| anchor.lines.contains_key(id));
        !related && !told.blank()
    }
}
