//! What confirmed orders teach. In: orders. Out: what is to be added to the counts, in the order of their keys, so that
//! two workers lock rows in one order. Pure.

use jiff::Timestamp;
use shop_contract::event::OrderEvent;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Of a larger order only so many products are paired: they say little about each other, and pairs grow with the square.
const PAIRED: usize = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lessons {
    /// Orders by product.
    pub items: BTreeMap<Uuid, i64>,
    /// Orders by pair, in both directions.
    pub pairs: BTreeMap<(Uuid, Uuid), i64>,
    /// Pieces by day (`2026-11-24`, UTC) and product.
    pub sales: BTreeMap<(String, Uuid), i64>,
    /// When each customer last bought each product.
    pub recent: BTreeMap<(Uuid, Uuid), Timestamp>,
}

impl Lessons {
    pub fn add(&mut self, order: &OrderEvent, placed_at: Timestamp) {
        let day = placed_at.strftime("%Y-%m-%d").to_string();
        for line in &order.lines {
            let sold = self.sales.entry((day.clone(), line.product_id)).or_default();
            *sold += i64::from(line.quantity);
        }
        let products: BTreeSet<Uuid> = order.lines.iter().map(|line| line.product_id).collect();
        for product in &products {
            *self.items.entry(*product).or_default() += 1;
            let last = self.recent.entry((order.user_id, *product)).or_insert(placed_at);
            *last = placed_at.max(*last);
        }
        let paired: Vec<Uuid> = products.into_iter().take(PAIRED).collect();
        for one in &paired {
            for other in paired.iter().filter(|other| *other != one) {
                *self.pairs.entry((*one, *other)).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shop_contract::api::PricedLine;

    fn order(user: u128, products: &[u128]) -> OrderEvent {
        let line = |product: &u128| PricedLine {
            product_id: Uuid::from_u128(*product),
            quantity: 2,
            price_cents: 100,
        };
        OrderEvent {
            event_id: Uuid::now_v7(),
            order_id: Uuid::now_v7(),
            user_id: Uuid::from_u128(user),
            total_cents: 200,
            currency: "EUR".to_owned(),
            lines: products.iter().map(line).collect(),
            payment_token: None,
            cancel_reason: None,
            synthetic: false,
            placed_at: String::new(),
            at: String::new(),
        }
    }

    fn learn(orders: &[(u128, Vec<u128>, i64)]) -> Lessons {
        let mut lessons = Lessons::default();
        for (user, products, second) in orders {
            lessons.add(&order(*user, products), Timestamp::from_second(*second).unwrap());
        }
        lessons
    }

    #[test]
    fn an_order_teaches_its_items_and_their_pairs_once() {
        let lessons = learn(&[(9, vec![1, 2, 1], 1_700_000_000)]);
        let id = Uuid::from_u128;
        assert_eq!(lessons.items, [(id(1), 1), (id(2), 1)].into());
        assert_eq!(lessons.pairs, [((id(1), id(2)), 1), ((id(2), id(1)), 1)].into());
        assert_eq!(lessons.sales[&("2023-11-14".to_owned(), id(1))], 4);
    }

    #[test]
    fn a_huge_order_teaches_a_bounded_number_of_pairs() {
        let lessons = learn(&[(9, (0..50).collect(), 0)]);
        assert_eq!((lessons.items.len(), lessons.pairs.len()), (50, 20 * 19));
    }

    proptest! {
        #[test]
        fn the_order_of_orders_teaches_nothing(
            orders in prop::collection::vec((0_u128..4, prop::collection::vec(0_u128..8, 1..6), 0_i64..1_000_000), 0..12),
            turn in 0_usize..12,
        ) {
            let mut turned = orders.clone();
            turned.rotate_left(turn % orders.len().max(1));
            turned.reverse();
            prop_assert_eq!(learn(&orders), learn(&turned));
        }
    }
}
