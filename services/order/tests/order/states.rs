//! The state machine under any order and any repetition of what may happen.

use proptest::prelude::*;
use shop_contract::api::CancelReason;
use shop_order::state::{Next, State, Step, next};

const EVENTS: [Step; 3] = [Step::Captured, Step::Declined, Step::OutOfStock];
const CANCELS: [Step; 2] = [Step::CancelByCustomer, Step::CancelBySupport];
const SENDING: [Step; 2] = [Step::Ship, Step::Deliver];

fn any_step() -> impl Strategy<Value = Step> {
    prop::sample::select([EVENTS.as_slice(), &CANCELS, &SENDING].concat())
}

fn after(state: State, step: Step) -> State {
    match next(state, step) {
        Next::Move(state) => state,
        Next::Stay | Next::Refuse => state,
    }
}

fn run(steps: &[Step]) -> State {
    steps.iter().copied().fold(State::Placed, after)
}

/// How far an order is; it never goes back.
fn rank(state: State) -> u8 {
    match state {
        State::Placed => 0,
        State::Confirmed => 1,
        State::Shipped => 2,
        State::Delivered => 3,
        State::Cancelled(_) => 4,
    }
}

proptest! {
    #[test]
    fn an_order_only_goes_forward_and_enters_each_status_once(steps in prop::collection::vec(any_step(), 0..30)) {
        let mut state = State::Placed;
        for step in steps {
            match next(state, step) {
                Next::Move(to) => {
                    prop_assert!(rank(to) > rank(state), "{:?} -> {:?}", state, to);
                    state = to;
                }
                Next::Stay | Next::Refuse => {}
            }
        }
    }

    #[test]
    fn events_are_never_refused(steps in prop::collection::vec(any_step(), 0..30), event in prop::sample::select(EVENTS.to_vec())) {
        prop_assert_ne!(next(run(&steps), event), Next::Refuse);
    }

    /// Repeated at any later time, whatever else happens.
    #[test]
    fn what_happened_twice_happened_once(
        steps in prop::collection::vec(any_step(), 0..20),
        event in prop::sample::select([EVENTS.as_slice(), &CANCELS].concat()),
        (first, again) in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let mut once = steps;
        let first = first.index(once.len() + 1);
        once.insert(first, event);
        let mut twice = once.clone();
        twice.insert(first + 1 + again.index(once.len() - first), event);
        prop_assert_eq!(run(&twice), run(&once), "{:?}", twice);
    }

    /// Without people who send goods, where an order ends depends on what happened, not on when.
    #[test]
    fn the_order_of_events_does_not_matter(
        steps in prop::collection::vec(prop::sample::select([EVENTS.as_slice(), &CANCELS].concat()), 0..8)
            .prop_flat_map(|steps| (Just(steps.clone()), Just(steps).prop_shuffle())),
    ) {
        let (one, other) = steps;
        prop_assert_eq!(rank(run(&one)), rank(run(&other)), "{:?} {:?}", one, other);
        let ended = |state| matches!(state, State::Cancelled(_));
        prop_assert_eq!(ended(run(&one)), one.iter().any(|step| *step != Step::Captured));
    }

    #[test]
    fn goods_leave_only_after_payment(steps in prop::collection::vec(any_step(), 0..30)) {
        if matches!(run(&steps), State::Shipped | State::Delivered) {
            let paid = steps.iter().position(|step| *step == Step::Captured);
            let sent = steps.iter().rposition(|step| *step == Step::Ship);
            prop_assert!(paid.unwrap() < sent.unwrap());
        }
    }
}

#[test]
fn the_first_reason_stays() {
    let cancelled = run(&[Step::Declined, Step::CancelByCustomer, Step::OutOfStock]);
    assert_eq!(cancelled, State::Cancelled(CancelReason::PaymentDeclined));
    assert_eq!(next(cancelled, Step::CancelBySupport), Next::Stay);
}

#[test]
fn goods_on_their_way_are_not_cancelled() {
    for step in CANCELS {
        assert_eq!(next(State::Shipped, step), Next::Refuse);
        assert_eq!(next(State::Delivered, step), Next::Refuse);
    }
    assert_eq!(next(State::Placed, Step::Ship), Next::Refuse);
    assert_eq!(next(State::Confirmed, Step::Deliver), Next::Refuse);
}
