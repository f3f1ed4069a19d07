//! What is seen → the next steps towards a healthy cluster. Pure.
//!
//! One wave at a time: introduce, then part with the gone, then give out slots, then pair replicas; each wave is decided
//! anew from what is seen after the last. Who does not answer is unknown, not absent: with a silent member nothing is
//! formed, forgotten or given out. Data is never deleted; slots are given out only when nobody at all holds them.

use super::pair::{Candidate, Pairing, pair};
use super::seen::{Line, SLOTS, Sighting, Told};
use super::{Member, Shape};
use std::collections::{BTreeMap, BTreeSet};
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

    fn introduce(&self, patient: bool, decision: &mut Decision) {
        let (at, anchor) = self.anchor();
        for (member, told) in &self.members {
            if self.stranger(told) {
                decision.blocked.push(format!(
                    "{} holds data of another cluster and is not joined: delete its volume claim to let it join",
                    member.pod
                ));
            } else if told.id != anchor.id && !knows(anchor, member, told) {
                decision.steps.push(meet(at, member));
            }
        }
        if !decision.steps.is_empty() {
            return;
        }
        // The anchor reaches everybody, and the others learn it from him; whoever does not in time is told.
        for (at, own) in &self.members {
            for (member, told) in &self.members {
                if own.id == told.id || self.stranger(own) || self.stranger(told) || knows(own, member, told) {
                    continue;
                }
                match patient {
                    true => decision.steps.push(meet(at, member)),
                    false => decision.waiting = Some(format!("{} reaches {}", at.pod, member.pod)),
                }
            }
        }
    }

    /// Nodes in anybody's view that are none of the members, though all of these answered. The anchor's view counts
    /// most; what only others know is what they have not forgotten yet.
    fn gone(&self) -> BTreeMap<&'a str, &'a Line> {
        let views = self.members.iter().map(|(_, told)| *told).chain([self.anchor().1]);
        let known = views.flat_map(|told| &told.lines);
        let gone = known.filter(|(id, line)| !line.handshake && self.pod_of(id).is_none());
        gone.map(|(id, line)| (id.as_str(), line)).collect()
    }

    fn part_with_gone(&self, patient: bool, decision: &mut Decision) {
        let alive = self
            .members
            .iter()
            .filter(|(_, told)| told.own().is_some_and(|own| own.slot_count() > 0))
            .count();
        for (id, line) in self.gone() {
            let heirs = self.members.iter().filter(|(_, told)| {
                told.own()
                    .is_some_and(|own| !own.primary && own.primary_id.as_deref() == Some(id))
            });
            let heir = heirs.max_by_key(|(_, told)| told.keys).map(|(member, _)| *member);
            match heir {
                // Its replica takes its place by an election, if a majority of the primaries is left to vote.
                Some(heir) if line.slot_count() > 0 => {
                    let dead = self.gone().values().filter(|line| line.slot_count() > 0).count();
                    if alive <= dead || patient {
                        decision.steps.push(Step::TakeOver {
                            at: heir.pod.clone(),
                            gone: id.to_owned(),
                        });
                    } else {
                        decision.waiting = Some(format!("{} takes the place of its lost primary", heir.pod));
                    }
                }
                _ if line.failing || patient => {
                    for (member, told) in &self.members {
                        // A replica cannot forget its own primary; it is given another one first.
                        let own_primary = told.own().and_then(|own| own.primary_id.as_deref()) == Some(id);
                        if told.lines.contains_key(id) && !own_primary {
                            decision.steps.push(Step::Forget {
                                at: member.pod.clone(),
                                id: id.to_owned(),
                            });
                        }
                    }
                }
                _ => decision.waiting = Some(format!("the cluster notices that {id:.8} is gone")),
            }
        }
    }

    fn give_out_slots(&self, shape: Shape, decision: &mut Decision) {
        let missing = self.unowned();
        let holders: Vec<_> = self
            .members
            .iter()
            .filter(|(_, told)| told.own().is_some_and(|own| own.slot_count() > 0))
            .collect();
        let lacking = usize::from(shape.shards).saturating_sub(holders.len());
        if missing.is_empty() {
            if lacking > 0 {
                decision.blocked.push(format!(
                    "{} of {} shards hold slots; moving slots to a new shard is not possible yet",
                    holders.len(),
                    shape.shards
                ));
            }
            return;
        }
        let mut takers = self.new_primaries(lacking, holders.iter().map(|(member, _)| member.node.as_str()));
        if takers.is_empty() {
            // All shards have their primary: the one with least takes what a lost one held.
            let least = holders
                .iter()
                .min_by_key(|(_, told)| told.own().map_or(0, Line::slot_count));
            takers.extend(least.map(|(member, _)| *member));
        }
        if takers.is_empty() {
            decision
                .blocked
                .push("no server may take the slots nobody holds: all hold keys".to_owned());
        } else if takers.len() < lacking {
            decision
                .blocked
                .push(format!("{} shards lack an empty server", lacking - takers.len()));
        }
        for (taker, ranges) in takers.iter().zip(share(&missing, takers.len())) {
            decision.steps.push(Step::AddSlots {
                at: taker.pod.clone(),
                ranges,
            });
        }
    }

    /// Slots in nobody's view of anybody: by any single claim a slot counts as held.
    fn unowned(&self) -> Vec<(u16, u16)> {
        let mut held = vec![false; usize::from(SLOTS)];
        for (first, last) in self
            .members
            .iter()
            .flat_map(|(_, told)| told.lines.values())
            .flat_map(|line| &line.slots)
        {
            held[usize::from(*first)..=usize::from(*last)].fill(true);
        }
        let mut free: Vec<(u16, u16)> = Vec::new();
        for slot in (0..SLOTS).filter(|slot| !held[usize::from(*slot)]) {
            match free.last_mut() {
                Some((_, last)) if *last + 1 == slot => *last = slot,
                _ => free.push((slot, slot)),
            }
        }
        free
    }

    /// `count` primaries without slots and keys, each on the machine with fewest primaries so far.
    fn new_primaries(&self, count: usize, machines: impl Iterator<Item = &'a str>) -> Vec<&'a Member> {
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        machines.for_each(|machine| *used.entry(machine).or_default() += 1);
        let empty = |told: &Told| told.keys == 0 && told.own().is_some_and(|own| own.primary && own.slots.is_empty());
        let mut free: Vec<&Member> = self
            .members
            .iter()
            .filter(|(_, t)| empty(t))
            .map(|(member, _)| *member)
            .collect();
        let mut chosen = Vec::new();
        while chosen.len() < count && !free.is_empty() {
            let best = (0..free.len()).min_by_key(|i| used.get(free[*i].node.as_str()).copied().unwrap_or(0));
            let member = free.remove(best.unwrap_or(0));
            *used.entry(&member.node).or_default() += 1;
            chosen.push(member);
        }
        chosen
    }

    fn pair_replicas(&self, shape: Shape, all_there: bool, decision: &mut Decision) {
        let owns = |told: &Told| told.own().is_some_and(|own| own.slot_count() > 0);
        let primaries: Vec<_> = self.members.iter().filter(|(_, told)| owns(told)).collect();
        let ids: BTreeSet<&str> = primaries.iter().map(|(_, told)| told.id.as_str()).collect();
        let mut candidates = Vec::new();
        for (member, told) in self
            .members
            .iter()
            .filter(|(_, told)| !owns(told) && !self.stranger(told))
        {
            let Some(own) = told.own() else { continue };
            if own.primary && told.keys > 0 {
                decision
                    .blocked
                    .push(format!("{} holds keys and no slots, and is left alone", member.pod));
                continue;
            }
            let now = own.primary_id.as_deref().filter(|id| !own.primary && ids.contains(id));
            candidates.push(Candidate {
                name: &member.pod,
                machine: &member.node,
                now,
            });
        }
        // While somebody is silent only new servers are given a place; nobody is moved.
        let silent_replicas = |primary: &str| {
            let (_, anchor) = self.anchor();
            let replica_of = |line: &Line| !line.primary && line.primary_id.as_deref() == Some(primary);
            anchor
                .lines
                .iter()
                .filter(|(id, line)| self.pod_of(id).is_none() && replica_of(line))
                .count()
        };
        let places = primaries.iter().map(|(member, told)| super::pair::Place {
            id: &told.id,
            machine: &member.node,
            free: usize::from(shape.replicas).saturating_sub(silent_replicas(&told.id)),
        });
        let Pairing { moves, together } = pair(&candidates, &places.collect::<Vec<_>>(), all_there);
        for (replica, id) in moves {
            let Some(primary) = self.pod_of(id) else { continue };
            let told = self
                .members
                .iter()
                .find(|(member, _)| member.pod == replica)
                .map(|(_, told)| told);
            if told.is_some_and(|told| told.lines.get(id).is_some_and(|line| !line.handshake)) {
                let (at, primary, primary_id) = (replica.to_owned(), primary.pod.clone(), id.to_owned());
                decision.steps.push(Step::Replicate {
                    at,
                    primary,
                    primary_id,
                });
            } else {
                decision.waiting = Some(format!("{replica} hears of {}", primary.pod));
            }
        }
        for (replica, id) in together {
            let primary = self.pod_of(id).map_or(id, |member| member.pod.as_str());
            decision
                .warnings
                .push(format!("{replica} and its primary {primary} run on one machine"));
        }
    }

    fn await_health(&self, decision: &mut Decision) {
        for (member, told) in &self.members {
            if !told.ok && decision.blocked.is_empty() {
                decision.waiting = Some(format!("{} reports the cluster as healthy", member.pod));
            } else if !told.synced {
                decision.waiting = Some(format!("{} has copied its primary's data", member.pod));
            }
        }
    }
}

/// `told` is in the view at its member's present address, and reached.
fn knows(view: &Told, member: &Member, told: &Told) -> bool {
    view.lines.get(&told.id).is_some_and(|line| {
        line.ip == member.ip && line.port == member.port && !line.handshake && line.linked && !line.failing
    })
}

fn meet(at: &Member, other: &Member) -> Step {
    Step::Meet {
        at: at.pod.clone(),
        other: other.pod.clone(),
        ip: other.ip.clone(),
        port: other.port,
    }
}

/// Cuts ranges into `parts` of nearly equal size, in order.
fn share(ranges: &[(u16, u16)], parts: usize) -> Vec<Vec<(u16, u16)>> {
    let slots: Vec<u16> = ranges.iter().flat_map(|(first, last)| *first..=*last).collect();
    (0..parts)
        .map(|part| {
            let mut cut: Vec<(u16, u16)> = Vec::new();
            for slot in &slots[slots.len() * part / parts..slots.len() * (part + 1) / parts] {
                match cut.last_mut() {
                    Some((_, last)) if *last + 1 == *slot => *last = *slot,
                    _ => cut.push((*slot, *slot)),
                }
            }
            cut
        })
        .collect()
}
