//! Who has to be introduced to whom. Servers that belong to another cluster are left alone.

use super::{Cluster, Decision, Step};
use crate::redis::Member;
use crate::redis::seen::Told;

impl Cluster<'_> {
    /// New servers are introduced by the anchor alone and spread by themselves. A stale address is corrected at once
    /// by everybody who has it: a replica that hears of its primary's new address from a third keeps copying from the
    /// old one (redis issue 14633).
    pub(super) fn introduce(&self, patient: bool, decision: &mut Decision) {
        for (member, told) in &self.members {
            if self.stranger(told) {
                decision.blocked.push(format!(
                    "{} holds data of another cluster and is not joined: delete its volume claim to let it join",
                    member.pod
                ));
            }
        }
        for (index, (at, own)) in self.members.iter().enumerate() {
            for (member, told) in &self.members {
                if own.id == told.id || self.stranger(own) || self.stranger(told) || knows(own, member, told) {
                    continue;
                }
                if patient || stale(own, member, told) || index == self.anchor {
                    decision.steps.push(meet(at, member));
                } else {
                    decision.waiting = Some(format!("{} reaches {}", at.pod, member.pod));
                }
            }
        }
    }
}

/// It is in the view, at an address its member does not have any more.
fn stale(view: &Told, member: &Member, told: &Told) -> bool {
    view.lines
        .get(&told.id)
        .is_some_and(|line| !line.handshake && (line.ip != member.ip || line.port != member.port))
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
