//! What was seen of a Redis, put together from what its members say. Pure.

use super::decide::Decision;
use super::seen::{Line, SLOTS, Sighting, Told};
use std::collections::BTreeMap;

/// The whole, as its members report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Every slot is served and a majority of the members says `cluster_state:ok`; a single server answers.
    pub serving: bool,
    /// Of 16384; a single server counts as 16384.
    pub slots_assigned: u16,
    pub nodes: Vec<Node>,
    /// Why it is not as it should be, in words; empty when all is well. `ensure` mends what can be mended from here.
    pub problems: Vec<String>,
    /// Worth knowing, and no problem: e.g. a pair on one machine when the pods leave no other way.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The pod's name, when a member answered with this id or has this address.
    pub pod: Option<String>,
    pub id: String,
    pub primary: bool,
    pub primary_id: Option<String>,
    pub slots: u16,
    /// A majority of the other members that answered reach it over the cluster bus.
    pub linked: bool,
}

/// A server without cluster mode.
pub(super) fn single(pod: &str, answer: Result<(), String>) -> View {
    let serving = answer.is_ok();
    let node = Node {
        pod: Some(pod.to_owned()),
        id: pod.to_owned(),
        primary: true,
        primary_id: None,
        slots: if serving { SLOTS } else { 0 },
        linked: serving,
    };
    View {
        serving,
        slots_assigned: node.slots,
        nodes: vec![node],
        problems: answer.err().into_iter().collect(),
        warnings: Vec::new(),
    }
}

pub(super) fn cluster(seen: &[Sighting], decision: Decision) -> View {
    let told: Vec<&Told> = seen.iter().filter_map(|sighting| sighting.told.as_ref().ok()).collect();
    let mut ids: BTreeMap<&str, &Line> = BTreeMap::new();
    for (id, line) in told
        .iter()
        .flat_map(|told| &told.lines)
        .filter(|(_, line)| !line.handshake)
    {
        ids.entry(id).or_insert(line);
    }
    // What a server says of itself counts more than what the others have heard.
    ids.extend(told.iter().filter_map(|told| Some((told.id.as_str(), told.own()?))));
    let nodes: Vec<Node> = ids.into_iter().map(|(id, line)| node(id, line, seen, &told)).collect();
    let mut held = vec![false; usize::from(SLOTS)];
    let mut assigned = held.clone();
    for (id, line) in told.iter().flat_map(|told| &told.lines) {
        let up = nodes.iter().any(|node| node.id == *id && node.linked);
        for (first, last) in &line.slots {
            assigned[usize::from(*first)..=usize::from(*last)].fill(true);
            if up {
                held[usize::from(*first)..=usize::from(*last)].fill(true);
            }
        }
    }
    let agreeing = told.iter().filter(|told| told.ok).count();
    let Decision {
        steps,
        waiting,
        blocked,
        warnings,
    } = decision;
    let mut problems = blocked;
    problems.extend(steps.iter().map(|step| format!("to do: {step}")));
    problems.extend(waiting.map(|what| format!("waits until {what}")));
    View {
        serving: held.iter().all(|held| *held) && agreeing * 2 > seen.len(),
        slots_assigned: assigned.iter().map(|held| u16::from(*held)).sum(),
        nodes,
        problems,
        warnings,
    }
}

fn node(id: &str, line: &Line, seen: &[Sighting], told: &[&Told]) -> Node {
    let by_id = |s: &&Sighting| s.told.as_ref().is_ok_and(|told| told.id == id);
    let silent_here = |s: &&Sighting| s.told.is_err() && s.member.ip == line.ip && s.member.port == line.port;
    let pod = seen.iter().find(by_id).or_else(|| seen.iter().find(silent_here));
    let others: Vec<_> = told.iter().filter(|told| told.id != id).collect();
    let reached = others
        .iter()
        .filter(|t| t.lines.get(id).is_some_and(|line| line.linked && !line.failing))
        .count();
    Node {
        pod: pod.map(|sighting| sighting.member.pod.clone()),
        id: id.to_owned(),
        primary: line.primary,
        primary_id: line.primary_id.clone(),
        slots: line.slot_count(),
        linked: others.is_empty() || reached * 2 > others.len(),
    }
}
