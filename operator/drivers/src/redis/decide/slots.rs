//! Slots nobody holds are given to primaries without any, or to the one with fewest. Only asked when every member
//! answered and the gone are forgotten: a slot anybody lays claim to is never given out.

use super::{Cluster, Decision, Step};
use crate::redis::seen::{Line, SLOTS, Told};
use crate::redis::{Member, Shape};
use std::collections::BTreeMap;

impl<'a> Cluster<'a> {
    pub(super) fn give_out_slots(&self, shape: Shape, decision: &mut Decision) {
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
