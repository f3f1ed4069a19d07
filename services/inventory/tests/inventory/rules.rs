//! The pure rules against random asks: nothing appears, nothing vanishes, and the order of events makes no difference
//! to how a cancelled order ends.

use proptest::prelude::*;
use shop_inventory::reservation::{Line, Reservation, State};
use shop_inventory::settle::{Ask, places, settle};
use shop_inventory::shelf::{Shelf, Units, shares, slots_for};
use std::collections::BTreeMap;
use uuid::Uuid;

const PRODUCTS: u128 = 2;
const ORDERS: u128 = 4;

fn ask() -> impl Strategy<Value = Ask> {
    let line = (0..PRODUCTS, 1..6_i32).prop_map(|(product, quantity)| Line {
        product: Uuid::from_u128(product),
        quantity,
    });
    let lines = proptest::collection::btree_map(0..PRODUCTS, line, 1..=2).prop_map(|lines| {
        let product = |(product, line): (u128, Line)| Line {
            product: Uuid::from_u128(product),
            ..line
        };
        lines.into_iter().map(product).collect::<Vec<Line>>()
    });
    (0..ORDERS, 0..5_u8, lines).prop_map(|(order, verb, lines)| {
        let order = Uuid::from_u128(order);
        match verb {
            0 => Ask::Reserve { order, lines },
            1 => Ask::Claim { order, lines },
            2 => Ask::Cancel { order },
            3 => Ask::Release { order },
            _ => Ask::Expire { order },
        }
    })
}

/// The database's part: slots, rows and the ledger between batches.
#[derive(Default)]
struct World {
    slots: BTreeMap<(Uuid, i16), Units>,
    rows: BTreeMap<Uuid, Reservation>,
    sold: i32,
}

impl World {
    fn new(units: i32) -> Self {
        let mut world = Self::default();
        for product in 0..PRODUCTS {
            for (slot, on_hand) in shares(units, 3).enumerate() {
                let place = (Uuid::from_u128(product), slot as i16);
                world.slots.insert(place, Units { on_hand, reserved: 0 });
            }
        }
        world
    }

    fn settle(&mut self, asks: &[Ask]) {
        let known: BTreeMap<Uuid, Reservation> = self
            .rows
            .iter()
            .filter(|(order, _)| asks.iter().any(|ask| ask.order() == **order))
            .map(|(order, row)| (*order, row.clone()))
            .collect();
        let wanted = places(asks, &known);
        let locked = self.slots.iter().filter(|(place, _)| wanted.contains(place));
        let settled = settle(asks, known, Shelf::new(locked.map(|(place, units)| (*place, *units))));
        for (place, change) in settled.shelf.changes() {
            let units = self.slots.get_mut(&place).expect("only slots that exist are changed");
            units.on_hand += change.on_hand;
            units.reserved += change.reserved;
        }
        for (order, (row, was_there)) in settled.rows {
            assert_eq!(was_there, self.rows.contains_key(&order));
            self.rows.insert(order, row);
        }
        self.sold -= settled.movements.iter().map(|movement| movement.quantity).sum::<i32>();
    }

    fn check(&self, units: i32) {
        let in_state = |state: State| {
            let rows = self.rows.values().filter(move |row| row.state == state);
            rows.flat_map(|row| &row.takes).map(|take| take.quantity).sum::<i32>()
        };
        let sum = |part: fn(&Units) -> i32| self.slots.values().map(part).sum::<i32>();
        assert!(
            self.slots
                .values()
                .all(|units| 0 <= units.reserved && units.reserved <= units.on_hand)
        );
        assert_eq!(sum(|units| units.reserved), in_state(State::Reserved));
        assert_eq!(self.sold, in_state(State::Claimed));
        assert_eq!(sum(|units| units.on_hand) + self.sold, units * PRODUCTS as i32);
    }
}

proptest! {
    #[test]
    fn units_are_conserved(
        units in 0..12_i32,
        batches in proptest::collection::vec(proptest::collection::vec(ask(), 1..6), 1..12),
    ) {
        let mut world = World::new(units);
        for batch in batches {
            world.settle(&batch);
            world.check(units);
        }
    }

    #[test]
    fn a_cancelled_order_holds_nothing_whatever_came_before_and_after(
        units in 0..12_i32,
        before in proptest::collection::vec(ask(), 0..10),
        after in proptest::collection::vec(ask(), 0..10),
    ) {
        let mut world = World::new(units);
        before.iter().for_each(|ask| world.settle(std::slice::from_ref(ask)));
        let order = Uuid::from_u128(0);
        world.settle(&[Ask::Cancel { order }]);
        after.iter().for_each(|ask| world.settle(std::slice::from_ref(ask)));
        let state = world.rows[&order].state;
        prop_assert!(matches!(state, State::Released | State::Tombstone | State::Rejected), "{:?}", state);
    }

    #[test]
    fn shares_add_up_and_slots_grow(units in 0..2_000_000_i32) {
        let slots = slots_for(i64::from(units));
        prop_assert!((1..=16).contains(&slots) && slots_for(i64::from(units) + 1) >= slots);
        let parts: Vec<i32> = shares(units, i32::from(slots)).collect();
        prop_assert_eq!(parts.iter().sum::<i32>(), units);
        prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
    }
}

#[test]
fn a_hot_sale_has_many_slots() {
    assert_eq!([0, 1, 64, 65, 500, 100_000].map(slots_for), [1, 1, 1, 2, 8, 16]);
}
