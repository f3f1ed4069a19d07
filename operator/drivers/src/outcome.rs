//! What a verb reports: what it changed, or of which class its failure is. Holds no input or output of its own.

/// What kind of failure it was, and so what the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again after a back-off.
    Transient,
    /// Trying again will not help before somebody acts.
    Fatal,
    /// What was asked for cannot be done at all.
    Invalid,
}

/// The outcome of an `ensure_*`: nothing was written when `changed` is false.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub changed: bool,
    /// The steps taken, in order, each in a few words.
    pub steps: Vec<String>,
    /// What is still missing and comes by itself, or when somebody else acts. Not a failure; look again later.
    pub waiting: Option<String>,
}

impl Report {
    pub(crate) fn wrote(&mut self, step: impl Into<String>) {
        self.changed = true;
        self.steps.push(step.into());
    }

    /// As `wrote`, for a step that may be taken several times before it shows.
    pub(crate) fn wrote_once(&mut self, step: String) {
        self.changed = true;
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}
