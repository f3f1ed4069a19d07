//! What becomes of reservations. In: what is asked, the rows as they are and the slots, all locked. Out: the rows and
//! slots as they will be, and an answer to each. Pure. Every order has one table of states and asks: asks may come
//! twice and in any order, and end the same.

use crate::reservation::{Line, Reservation, State};
use crate::shelf::{Place, SLOTS, Shelf};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Hold these for a while: checkout, when the fast way found other orders in its path.
    Reserve { order: Uuid, lines: Vec<Line> },
    /// The order is paid: sell what it holds, or what it asked for when it no longer holds it.
    Claim { order: Uuid, lines: Vec<Line> },
    /// The order is cancelled.
    Cancel { order: Uuid },
    /// The order was never placed.
    Release { order: Uuid },
    /// The time is over, which the asker has seen.
    Expire { order: Uuid },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Held(Reservation),
    /// Positions of the lines that ask for more than there is.
    Short(Vec<usize>),
    Claimed,
    /// Paid, but there is nothing to sell.
    Rejected,
    /// Nothing is held any more.
    Ended,
    /// As it was before.
    Unchanged(Reservation),
    /// There is no such order and none was needed.
    Unknown,
}

/// A line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    pub product: Uuid,
    pub order: Uuid,
    pub kind: &'static str,
    pub quantity: i32,
}

/// What to write.
#[derive(Debug, Default)]
pub struct Settled {
    /// Rows by order, and whether they were there before.
    pub rows: BTreeMap<Uuid, (Reservation, bool)>,
    pub movements: Vec<Movement>,
    pub answers: Vec<Answer>,
    pub shelf: Shelf,
}

impl Ask {
    pub fn order(&self) -> Uuid {
        match self {
            Self::Reserve { order, .. }
            | Self::Claim { order, .. }
            | Self::Cancel { order }
            | Self::Release { order }
            | Self::Expire { order } => *order,
        }
    }
}

/// Every slot whose numbers decide something; empty when nothing depends on what is free, as for claims of what is held.
pub fn places(asks: &[Ask], known: &BTreeMap<Uuid, Reservation>) -> BTreeSet<Place> {
    let lines = asks.iter().filter_map(|ask| match ask {
        Ask::Reserve { order, lines } | Ask::Claim { order, lines } if !holds(known.get(order)) => Some(lines),
        Ask::Reserve { .. } | Ask::Claim { .. } | Ask::Cancel { .. } | Ask::Release { .. } | Ask::Expire { .. } => None,
    });
    let mut places: BTreeSet<Place> = lines
        .flatten()
        .flat_map(|line| (0..SLOTS).map(|slot| (line.product, slot)))
        .collect();
    if !places.is_empty() {
        // The others are locked too: all slots of a transaction in one order.
        let takes = known.values().flat_map(|row| &row.takes);
        places.extend(takes.map(|take| (take.product, take.slot)));
    }
    places
}

fn holds(row: Option<&Reservation>) -> bool {
    row.is_some_and(|row| matches!(row.state, State::Reserved | State::Claimed))
}

/// In the order of the asks; a later one sees what an earlier one did.
pub fn settle(asks: &[Ask], known: BTreeMap<Uuid, Reservation>, shelf: Shelf) -> Settled {
    let before: BTreeSet<Uuid> = known.keys().copied().collect();
    let mut rows = known;
    let mut settled = Settled {
        shelf,
        ..Settled::default()
    };
    for ask in asks {
        let row = rows.get(&ask.order()).cloned();
        let (next, answer) = settled.step(ask, row);
        if let Some(next) = next {
            let was_there = before.contains(&next.order);
            settled.rows.insert(next.order, (next.clone(), was_there));
            rows.insert(next.order, next);
        }
        settled.answers.push(answer);
    }
    settled
}

type Step = (Option<Reservation>, Answer);

impl Settled {
    fn step(&mut self, ask: &Ask, row: Option<Reservation>) -> Step {
        match (ask, row) {
            (Ask::Reserve { order, lines }, None) => self.reserve(*order, lines),
            (Ask::Claim { order, lines }, None) => self.sell(blank(*order), lines),
            (Ask::Cancel { order } | Ask::Release { order }, None) => {
                (Some(in_state(blank(*order), State::Tombstone)), Answer::Ended)
            }
            (Ask::Expire { .. }, None) => (None, Answer::Unknown),
            (Ask::Reserve { .. }, Some(row)) => (None, Answer::Unchanged(row)),
            (Ask::Claim { lines, .. }, Some(row)) => self.claim(row, lines),
            (Ask::Cancel { .. }, Some(row)) => self.cancel(row),
            (Ask::Release { .. }, Some(row)) => self.release(row),
            (Ask::Expire { .. }, Some(row)) => self.expire(row),
        }
    }

    fn reserve(&mut self, order: Uuid, lines: &[Line]) -> Step {
        match self.shelf.reserve(lines) {
            Ok(takes) => {
                let row = Reservation { takes, ..blank(order) };
                (Some(row.clone()), Answer::Held(row))
            }
            Err(short) => (None, Answer::Short(short)),
        }
    }

    fn claim(&mut self, row: Reservation, lines: &[Line]) -> Step {
        match row.state {
            State::Reserved => {
                self.shelf.claim(&row.takes);
                self.moved(&row, "claimed", -1);
                (Some(in_state(row, State::Claimed)), Answer::Claimed)
            }
            State::Expired => self.sell(row, lines),
            State::Claimed | State::Rejected => (None, Answer::Unchanged(row)),
            // Cancelled already, and the money has to go back: whoever paid is told again.
            State::Released | State::Tombstone => (None, Answer::Rejected),
        }
    }

    /// Without a hold: what is free now.
    fn sell(&mut self, row: Reservation, lines: &[Line]) -> Step {
        match self.shelf.sell(lines) {
            Ok(takes) => {
                let row = Reservation { takes, ..row };
                self.moved(&row, "claimed", -1);
                (Some(in_state(row, State::Claimed)), Answer::Claimed)
            }
            Err(_) => (Some(in_state(row, State::Rejected)), Answer::Rejected),
        }
    }

    fn cancel(&mut self, row: Reservation) -> Step {
        match row.state {
            State::Reserved => self.shelf.release(&row.takes),
            State::Claimed => {
                self.shelf.put_back(&row.takes);
                self.moved(&row, "returned", 1);
            }
            // It must not take anew when the payment's event comes later.
            State::Expired => {}
            State::Released | State::Rejected | State::Tombstone => return (None, Answer::Ended),
        }
        (Some(in_state(row, State::Released)), Answer::Ended)
    }

    fn release(&mut self, row: Reservation) -> Step {
        match row.state {
            State::Claimed => (None, Answer::Unchanged(row)),
            State::Reserved | State::Expired => self.cancel(row),
            State::Released | State::Rejected | State::Tombstone => (None, Answer::Ended),
        }
    }

    fn expire(&mut self, row: Reservation) -> Step {
        if row.state != State::Reserved {
            return (None, Answer::Unchanged(row));
        }
        self.shelf.release(&row.takes);
        (Some(in_state(row, State::Expired)), Answer::Ended)
    }

    fn moved(&mut self, row: &Reservation, kind: &'static str, sign: i32) {
        let movement = |(product, quantity): (Uuid, i32)| Movement {
            product,
            order: row.order,
            kind,
            quantity: sign * quantity,
        };
        self.movements.extend(row.totals().into_iter().map(movement));
    }
}

fn blank(order: Uuid) -> Reservation {
    Reservation {
        order,
        state: State::Reserved,
        takes: Vec::new(),
        expires_at: String::new(),
    }
}

fn in_state(row: Reservation, state: State) -> Reservation {
    Reservation { state, ..row }
}
