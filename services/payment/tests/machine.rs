//! Whatever comes in whatever order, however often: one capture, none after a void, nothing left held after a
//! cancellation, and an end.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use proptest::prelude::*;
use shop_payment::machine::{Event, News, Operation, Phase, Standing, Verdict, step};

/// What a history has done so far.
struct Life {
    standing: Standing,
    asked: Vec<Operation>,
    told: Vec<News>,
}

impl Life {
    fn begin() -> Self {
        Self {
            standing: Standing::UNKNOWN,
            asked: Vec::new(),
            told: Vec::new(),
        }
    }

    fn hear(&mut self, event: Event) {
        let step = step(self.standing, event);
        assert!(
            step.ask.is_none() || step.standing.phase.asking() == step.ask,
            "{step:?}"
        );
        self.standing = step.standing;
        self.asked.extend(step.ask);
        self.told.extend(step.tell);
    }

    /// The provider answers everything that is open; what it declines of a refund it does in the end.
    fn end(&mut self, verdict: Verdict) {
        for _ in 0..8 {
            match self.standing.phase.asking() {
                Some(Operation::Refund) => self.hear(Event::Answered(Operation::Refund, Verdict::Done)),
                Some(operation) => self.hear(Event::Answered(operation, verdict)),
                None => return,
            }
        }
        panic!("{:?} has no end: {:?}", self.standing, self.asked);
    }

    fn count(&self, operation: Operation) -> usize {
        self.asked.iter().filter(|asked| **asked == operation).count()
    }
}

/// The world's own events; answers are made up too, to what was asked and to what was not.
fn event() -> impl Strategy<Value = Event> {
    let operation = prop_oneof![
        Just(Operation::Authorise),
        Just(Operation::Capture),
        Just(Operation::Void),
        Just(Operation::Refund),
    ];
    let verdict = prop_oneof![3 => Just(Verdict::Done), 1 => Just(Verdict::Declined)];
    prop_oneof![
        2 => Just(Event::Placed),
        2 => Just(Event::Claimed),
        1 => Just(Event::Cancelled),
        5 => (operation, verdict).prop_map(|(operation, verdict)| Event::Answered(operation, verdict)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_history_keeps_the_promises(
        events in proptest::collection::vec(event(), 0..24),
        last in prop_oneof![Just(Verdict::Done), Just(Verdict::Declined)],
    ) {
        let mut life = Life::begin();
        for event in &events {
            life.hear(*event);
        }
        life.end(last);
        for operation in [Operation::Authorise, Operation::Capture, Operation::Void] {
            prop_assert!(life.count(operation) <= 1, "{:?}", life.asked);
        }
        let void = life.asked.iter().position(|asked| *asked == Operation::Void);
        let capture = life.asked.iter().position(|asked| *asked == Operation::Capture);
        prop_assert!(void.is_none() || capture < void, "{:?}", life.asked);
        prop_assert!(void.is_none() || !life.told.contains(&News::Captured), "{:?} {:?}", life.asked, life.told);
        if life.standing.cancelled {
            let left = matches!(life.standing.phase, Phase::Authorized | Phase::Captured);
            prop_assert!(!left, "{:?} after {events:?}", life.standing);
        }
        for news in [News::Authorized, News::Declined, News::Captured] {
            prop_assert!(life.told.iter().filter(|told| **told == news).count() <= 1, "{:?}", life.told);
        }
        let captured = life.told.contains(&News::Captured);
        prop_assert!(!captured || (capture.is_some() && !life.told.contains(&News::Declined)), "{:?}", life.told);
    }

    /// Placed, claimed and cancelled end in the same place whatever their order, when each question is answered at once.
    #[test]
    fn facts_commute(
        order in Just(vec![Event::Placed, Event::Claimed, Event::Cancelled]).prop_shuffle(),
        repeat in 1_usize..3,
        cancel in any::<bool>(),
    ) {
        let mut life = Life::begin();
        for _ in 0..repeat {
            for event in order.iter().filter(|event| cancel || **event != Event::Cancelled) {
                life.hear(*event);
                life.end(Verdict::Done);
            }
        }
        let held = matches!(life.standing.phase, Phase::Tombstone | Phase::Voided | Phase::Refunded);
        prop_assert_eq!(held, cancel, "{:?} after {:?}", life.standing, order);
        prop_assert_eq!(life.standing.phase == Phase::Captured, !cancel);
    }
}

#[test]
fn a_repeated_fact_asks_for_nothing_more() {
    let mut life = Life::begin();
    let done = |operation| Event::Answered(operation, Verdict::Done);
    for event in [
        Event::Placed,
        done(Operation::Authorise),
        Event::Claimed,
        done(Operation::Capture),
    ] {
        life.hear(event);
        life.hear(event);
    }
    assert_eq!(life.asked, [Operation::Authorise, Operation::Capture]);
    assert_eq!(life.told, [News::Authorized, News::Captured]);
    assert_eq!(life.standing.phase, Phase::Captured);
}

#[test]
fn an_order_cancelled_before_it_was_seen_is_never_charged() {
    let mut life = Life::begin();
    for event in [Event::Cancelled, Event::Placed, Event::Claimed, Event::Placed] {
        life.hear(event);
    }
    assert_eq!((life.standing.phase, life.asked.len()), (Phase::Tombstone, 0));
}

#[test]
fn a_refused_refund_is_asked_for_again() {
    let mut life = Life::begin();
    let done = |operation| Event::Answered(operation, Verdict::Done);
    for event in [
        Event::Placed,
        done(Operation::Authorise),
        Event::Claimed,
        Event::Cancelled,
    ] {
        life.hear(event);
    }
    life.hear(done(Operation::Capture));
    life.hear(Event::Answered(Operation::Refund, Verdict::Declined));
    assert_eq!(life.count(Operation::Refund), 2);
    life.hear(done(Operation::Refund));
    assert_eq!(life.standing.phase, Phase::Refunded);
}

#[test]
fn a_refused_capture_lets_go_of_what_is_held() {
    let mut life = Life::begin();
    for event in [
        Event::Placed,
        Event::Claimed,
        Event::Answered(Operation::Authorise, Verdict::Done),
    ] {
        life.hear(event);
    }
    life.hear(Event::Answered(Operation::Capture, Verdict::Declined));
    assert_eq!(life.asked, [Operation::Authorise, Operation::Capture, Operation::Void]);
    life.end(Verdict::Done);
    assert_eq!(
        (life.standing.phase, life.told),
        (Phase::Voided, vec![News::Authorized, News::Declined])
    );
}
