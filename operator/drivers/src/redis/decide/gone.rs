//! What to do about nodes of the cluster that are no member any more. Only asked when every member answered.

use super::{Cluster, Decision, Step};
use crate::redis::seen::Line;
use std::collections::BTreeMap;

impl<'a> Cluster<'a> {
    /// Nodes in anybody's view that are none of the members, though all of these answered. The anchor's view counts
    /// most; what only others know is what they have not forgotten yet.
    fn gone(&self) -> BTreeMap<&'a str, &'a Line> {
        let views = self.members.iter().map(|(_, told)| *told).chain([self.anchor().1]);
        let known = views.flat_map(|told| &told.lines);
        let gone = known.filter(|(id, line)| !line.handshake && self.pod_of(id).is_none());
        gone.map(|(id, line)| (id.as_str(), line)).collect()
    }

    pub(super) fn part_with_gone(&self, patient: bool, decision: &mut Decision) {
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
}
