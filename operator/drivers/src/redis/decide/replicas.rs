//! Gives every primary its replicas, sees that these copy from the right address, and waits until all is well.

use super::{Cluster, Decision, Step};
use crate::redis::Shape;
use crate::redis::pair::{Candidate, Pairing, Place, pair};
use crate::redis::seen::{Line, Told};
use std::collections::BTreeSet;

impl Cluster<'_> {
    pub(super) fn pair_replicas(&self, shape: Shape, all_there: bool, decision: &mut Decision) {
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
        let places = primaries.iter().map(|(member, told)| Place {
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

    /// A replica that copies from an address its primary does not have any more is told again whom to follow. Servers
    /// that take no notice, because they follow that primary already, make a detour over another one.
    pub(super) fn reattach(&self, patient: bool, decision: &mut Decision) {
        for (member, told) in self.members.iter().filter(|(_, told)| !told.synced) {
            let Some(id) = told.own().and_then(|own| own.primary_id.as_deref()) else {
                continue;
            };
            let Some(primary) = self.pod_of(id) else { continue };
            if told
                .copies_from
                .as_ref()
                .is_none_or(|(ip, port)| *ip == primary.ip && *port == primary.port)
            {
                continue;
            }
            let other = self.members.iter().find(|(_, other)| {
                other.id != id
                    && told.lines.contains_key(&other.id)
                    && other.own().is_some_and(|own| own.slot_count() > 0)
            });
            let (to, to_id) = match other {
                Some((other, view)) if patient => (*other, view.id.as_str()),
                _ => (primary, id),
            };
            let (at, primary, primary_id) = (member.pod.clone(), to.pod.clone(), to_id.to_owned());
            decision.steps.push(Step::Replicate {
                at,
                primary,
                primary_id,
            });
        }
    }

    pub(super) fn await_health(&self, decision: &mut Decision) {
        for (member, told) in &self.members {
            if !told.ok && decision.blocked.is_empty() {
                decision.waiting = Some(format!("{} reports the cluster as healthy", member.pod));
            } else if !told.synced {
                decision.waiting = Some(format!("{} has copied its primary's data", member.pod));
            }
        }
    }
}
