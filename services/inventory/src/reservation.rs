//! What an order holds of the stock, and in which state that is. Plain data.

use std::collections::BTreeMap;
use uuid::Uuid;

/// So many of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub product: Uuid,
    pub quantity: i32,
}

/// Units of one slot of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    pub product: Uuid,
    pub slot: i16,
    pub quantity: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Held for an order that is not paid yet.
    Reserved,
    /// Sold.
    Claimed,
    /// Given back, because the order was cancelled or never placed.
    Released,
    /// Given back, because nobody paid in time; payment may still come and take anew.
    Expired,
    /// Paid too late, when nothing was left.
    Rejected,
    /// Cancelled before it reserved.
    Tombstone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub order: Uuid,
    pub state: State,
    /// What is held, or was.
    pub takes: Vec<Take>,
    /// RFC 3339; empty until the database has set it.
    pub expires_at: String,
}

impl State {
    pub const ALL: [Self; 6] = [
        Self::Reserved,
        Self::Claimed,
        Self::Released,
        Self::Expired,
        Self::Rejected,
        Self::Tombstone,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Tombstone => "tombstone",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.text() == text)
    }
}

impl Reservation {
    /// Whether it was made for these lines.
    pub fn is_for(&self, lines: &[Line]) -> bool {
        let asked = lines.iter().map(|line| (line.product, line.quantity));
        totals(asked) == self.totals()
    }

    /// Units by product.
    pub fn totals(&self) -> BTreeMap<Uuid, i32> {
        totals(self.takes.iter().map(|take| (take.product, take.quantity)))
    }
}

fn totals(parts: impl Iterator<Item = (Uuid, i32)>) -> BTreeMap<Uuid, i32> {
    parts.fold(BTreeMap::new(), |mut sums, (product, quantity)| {
        *sums.entry(product).or_insert(0) += quantity;
        sums
    })
}
