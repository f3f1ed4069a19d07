//! The life of one payment. In: where it stands and what has happened. Out: where it stands then, what to ask the
//! provider and what to tell the shop. Pure. Facts are kept as facts, so that they may come in any order and more than
//! once: the order was placed, its stock was claimed, it was cancelled, the provider has answered.
//!
//! new → authorizing → authorized → capturing → captured; declined; voiding → voided; refunding → refunded; tombstone
//! for an order that was cancelled before it was seen. There is no way back, so nothing is asked for twice under
//! different keys: capturing is entered once and never after voiding; voiding never after a capture that was done.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Something of the order was heard, but not that it was placed.
    New,
    Authorizing,
    Authorized,
    Declined,
    Capturing,
    Captured,
    Voiding,
    Voided,
    /// Until everything is given back.
    Refunding,
    Refunded,
    Tombstone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub phase: Phase,
    pub claimed: bool,
    pub cancelled: bool,
}

/// What a provider can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Authorise,
    Capture,
    Void,
    /// What is left of the captured amount, or a part of it.
    Refund,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// For a refund: nothing is left to give back.
    Done,
    Declined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Placed,
    Claimed,
    Cancelled,
    Answered(Operation, Verdict),
}

/// What the shop is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    Authorized,
    Declined,
    Captured,
}

/// Where it stands now, what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub standing: Standing,
    pub ask: Option<Operation>,
    pub tell: Option<News>,
}

impl Standing {
    /// Of an order nobody has heard of.
    pub const UNKNOWN: Self = Self {
        phase: Phase::New,
        claimed: false,
        cancelled: false,
    };
}

impl Phase {
    /// What is being asked of the provider, from the intent to the answer.
    pub fn asking(self) -> Option<Operation> {
        match self {
            Self::Authorizing => Some(Operation::Authorise),
            Self::Capturing => Some(Operation::Capture),
            Self::Voiding => Some(Operation::Void),
            Self::Refunding => Some(Operation::Refund),
            Self::New | Self::Authorized | Self::Declined | Self::Captured => None,
            Self::Voided | Self::Refunded | Self::Tombstone => None,
        }
    }
}

pub fn step(before: Standing, event: Event) -> Step {
    let heard = match event {
        Event::Claimed => Standing {
            claimed: true,
            ..before
        },
        Event::Cancelled => Standing {
            cancelled: true,
            ..before
        },
        Event::Placed | Event::Answered(..) => before,
    };
    match event {
        Event::Placed => placed(heard),
        Event::Claimed | Event::Cancelled => go_on(heard, None),
        Event::Answered(operation, verdict) => answered(heard, operation, verdict),
    }
}

fn placed(before: Standing) -> Step {
    match before.phase {
        Phase::New => enter(before, Phase::Authorizing, None),
        _ => stay(before),
    }
}

/// Answers that come late or twice find another phase and change nothing.
fn answered(before: Standing, operation: Operation, verdict: Verdict) -> Step {
    use {Operation as Op, Phase as At, Verdict as Is};
    match (before.phase, operation, verdict) {
        (At::Authorizing, Op::Authorise, Is::Done) => go_on(at(before, At::Authorized), Some(News::Authorized)),
        (At::Capturing, Op::Capture, Is::Done) => go_on(at(before, At::Captured), Some(News::Captured)),
        (At::Authorizing, Op::Authorise, Is::Declined) => enter(before, At::Declined, Some(News::Declined)),
        // The provider may still hold the amount.
        (At::Capturing, Op::Capture, Is::Declined) => enter(before, At::Voiding, Some(News::Declined)),
        // Nothing to void: the provider holds nothing of this payment either way.
        (At::Voiding, Op::Void, Is::Done | Is::Declined) => enter(before, At::Voided, None),
        (At::Captured | At::Refunding, Op::Refund, Is::Done) => enter(before, At::Refunded, None),
        // What is owed stays owed.
        (At::Refunding, Op::Refund, Is::Declined) => enter(before, At::Refunding, None),
        _ => stay(before),
    }
}

/// What follows from the facts where the payment rests. A cancelled order's authorisation is told to nobody.
fn go_on(before: Standing, tell: Option<News>) -> Step {
    match (before.phase, before.cancelled, before.claimed) {
        (Phase::New, true, _) => enter(before, Phase::Tombstone, None),
        (Phase::Authorized, true, _) => enter(before, Phase::Voiding, None),
        (Phase::Authorized, false, true) => enter(before, Phase::Capturing, tell),
        (Phase::Captured, true, _) => enter(before, Phase::Refunding, tell),
        _ => Step { tell, ..stay(before) },
    }
}

fn at(before: Standing, phase: Phase) -> Standing {
    Standing { phase, ..before }
}

fn enter(before: Standing, phase: Phase, tell: Option<News>) -> Step {
    Step {
        standing: at(before, phase),
        ask: phase.asking(),
        tell,
    }
}

fn stay(before: Standing) -> Step {
    Step {
        standing: before,
        ask: None,
        tell: None,
    }
}
