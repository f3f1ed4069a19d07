//! Merging conditions: `lastTransitionTime` moves only when the status does, and order is that of the first writing.

use jiff::Timestamp;
use shop_api::condition::Condition;

pub struct Conditions<'a> {
    before: &'a [Condition],
    after: Vec<Condition>,
    generation: Option<i64>,
    now: String,
}

impl<'a> Conditions<'a> {
    pub fn new(before: &'a [Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self {
            before,
            after: before.to_vec(),
            generation,
            now: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    /// As it was before this reconcile.
    pub fn before(&self, kind: &str) -> Option<&'a Condition> {
        self.before.iter().find(|condition| condition.kind == kind)
    }

    pub fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let since = self
            .before(kind)
            .filter(|old| old.status == status)
            .map(|old| old.last_transition_time.clone());
        let condition = Condition {
            kind: kind.into(),
            status: status.into(),
            reason: reason.into(),
            // metav1.Condition allows 32 KiB; nobody reads more than this.
            message: message.chars().take(2000).collect(),
            last_transition_time: since.unwrap_or_else(|| self.now.clone()),
            observed_generation: self.generation,
        };
        match self.after.iter_mut().find(|old| old.kind == kind) {
            Some(old) => *old = condition,
            None => self.after.push(condition),
        }
    }

    pub fn done(self) -> Vec<Condition> {
        self.after
    }
}
