//! Stock of one product: never below nothing, and equal to what its movements and reservations add up to. All of it is
//! read in one snapshot, so a difference is a difference.

use super::{Finding, product_object};
use crate::facts::StockFacts;
use crate::invariant::Invariant;

pub fn check_stock(facts: &StockFacts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |invariant, detail| {
        let object = product_object(facts.product);
        found.push(Finding {
            invariant,
            object,
            detail,
        });
    };
    let StockFacts {
        product: _,
        on_hand,
        reserved,
        movements,
        reservations,
    } = *facts;
    if on_hand - reserved < 0 || reserved < 0 {
        let free = on_hand - reserved;
        add(
            Invariant::StockLevel,
            format!("on hand {on_hand} − reserved {reserved} = {free}"),
        );
    }
    for (what, level, sum) in [("on hand", on_hand, movements), ("reserved", reserved, reservations)] {
        if level != sum {
            add(
                Invariant::StockMovements,
                format!("{what} is {level}, its rows add up to {sum}"),
            );
        }
    }
    found
}
