//! The slots a transaction has locked, and what it changes in them. Pure: takes and gives numbers, never below zero;
//! the changes are written as differences, so that the database's own checks still mean something.

use crate::reservation::{Line, Take};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A product has at most this many slots.
pub const SLOTS: i16 = 16;
/// A slot holds about so many units: enough that few orders need more than one.
const UNITS_PER_SLOT: i64 = 64;

/// A row of `stock_slots`, or a difference to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub on_hand: i32,
    pub reserved: i32,
}

pub type Place = (Uuid, i16);

#[derive(Clone, Debug, Default)]
pub struct Shelf {
    slots: BTreeMap<Place, Units>,
    changes: BTreeMap<Place, Units>,
}

/// How many slots a product with so many units should have.
pub fn slots_for(units: i64) -> i16 {
    let needed = units / UNITS_PER_SLOT + i64::from(units % UNITS_PER_SLOT > 0);
    let wanted = needed.clamp(1, i64::from(SLOTS));
    i16::try_from(wanted).unwrap_or(SLOTS)
}

/// `quantity` over `slots`, as even as it goes.
pub fn shares(quantity: i32, slots: i32) -> impl Iterator<Item = i32> {
    let (each, rest) = (quantity / slots.max(1), quantity % slots.max(1));
    (0..slots).map(move |slot| each + i32::from(slot < rest))
}

impl Units {
    fn free(self) -> i32 {
        self.on_hand - self.reserved
    }
}

impl Shelf {
    pub fn new(locked: impl IntoIterator<Item = (Place, Units)>) -> Self {
        Self {
            slots: locked.into_iter().collect(),
            changes: BTreeMap::new(),
        }
    }

    /// Whether nothing was locked, because nothing was there.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn total(&self, product: Uuid) -> i64 {
        self.of(product).map(|(_, units)| i64::from(units.on_hand)).sum()
    }

    pub fn free(&self, product: Uuid) -> i64 {
        self.of(product).map(|(_, units)| i64::from(units.free())).sum()
    }

    /// What became different.
    pub fn changes(&self) -> impl Iterator<Item = (Place, Units)> {
        let changed = |(place, units): (&Place, &Units)| (*units != Units::default()).then_some((*place, *units));
        self.changes.iter().filter_map(changed)
    }

    /// Holds all of the lines, or none: then the positions of those that ask for too much.
    pub fn reserve(&mut self, lines: &[Line]) -> Result<Vec<Take>, Vec<usize>> {
        let takes = self.gather(lines)?;
        self.apply(&takes, |quantity| (0, quantity));
        Ok(takes)
    }

    /// Takes away at once, without holding first.
    pub fn sell(&mut self, lines: &[Line]) -> Result<Vec<Take>, Vec<usize>> {
        let takes = self.gather(lines)?;
        self.apply(&takes, |quantity| (-quantity, 0));
        Ok(takes)
    }

    pub fn release(&mut self, takes: &[Take]) {
        self.apply(takes, |quantity| (0, -quantity));
    }

    pub fn claim(&mut self, takes: &[Take]) {
        self.apply(takes, |quantity| (-quantity, -quantity));
    }

    pub fn put_back(&mut self, takes: &[Take]) {
        self.apply(takes, |quantity| (quantity, 0));
    }

    /// Adds units to a product, over all its slots.
    pub fn add(&mut self, product: Uuid, quantity: i32) {
        let slots: Vec<i16> = self.of(product).map(|(slot, _)| slot).collect();
        let parts = shares(quantity, i32::try_from(slots.len()).unwrap_or_default());
        let takes: Vec<Take> = slots
            .into_iter()
            .zip(parts)
            .map(|(slot, quantity)| Take {
                product,
                slot,
                quantity,
            })
            .collect();
        self.put_back(&takes);
    }

    /// From several slots when none has enough, the fullest first.
    fn gather(&self, lines: &[Line]) -> Result<Vec<Take>, Vec<usize>> {
        let mut takes = Vec::new();
        let mut short = Vec::new();
        for (position, line) in lines.iter().enumerate() {
            let mut slots: Vec<(i16, i32)> = self
                .of(line.product)
                .map(|(slot, units)| (slot, units.free()))
                .collect();
            slots.sort_by_key(|(_, free)| -free);
            let mut missing = line.quantity;
            for (slot, free) in slots {
                let quantity = free.min(missing);
                if quantity > 0 {
                    let product = line.product;
                    takes.push(Take {
                        product,
                        slot,
                        quantity,
                    });
                    missing -= quantity;
                }
            }
            if missing > 0 {
                short.push(position);
            }
        }
        if short.is_empty() { Ok(takes) } else { Err(short) }
    }

    fn apply(&mut self, takes: &[Take], difference: impl Fn(i32) -> (i32, i32)) {
        for take in takes {
            let (on_hand, reserved) = difference(take.quantity);
            let place = (take.product, take.slot);
            for units in [
                self.slots.entry(place).or_default(),
                self.changes.entry(place).or_default(),
            ] {
                units.on_hand += on_hand;
                units.reserved += reserved;
            }
        }
    }

    fn of(&self, product: Uuid) -> impl Iterator<Item = (i16, Units)> {
        self.slots
            .range((product, 0)..(product, SLOTS))
            .map(|((_, slot), units)| (*slot, *units))
    }
}
