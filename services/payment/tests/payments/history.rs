//! Judges what the provider did. In: its ledger and the orders the shop was told are paid. Out: everything that must
//! not be. Knows nothing of the service's own tables, so it cannot share their mistakes.

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Entry {
    pub order_id: Uuid,
    pub operation: String,
    pub amount_cents: i64,
    /// It was asked for, not declined, and took effect.
    pub happened: bool,
    pub attempts: i32,
}

#[derive(Default)]
struct Sums {
    authorised: usize,
    captures: usize,
    voids: usize,
    captured: i64,
    refunded: i64,
}

pub fn check(ledger: &[Entry], paid: &BTreeMap<Uuid, i64>) -> Vec<String> {
    let mut orders: BTreeMap<Uuid, Sums> = BTreeMap::new();
    for entry in ledger.iter().filter(|entry| entry.happened) {
        let sums = orders.entry(entry.order_id).or_default();
        match entry.operation.as_str() {
            "authorise" => sums.authorised += 1,
            "capture" => {
                sums.captures += 1;
                sums.captured += entry.amount_cents;
            }
            "void" => sums.voids += 1,
            "refund" => sums.refunded += entry.amount_cents,
            other => panic!("the ledger has an operation `{other}`"),
        }
    }
    let mut wrong = Vec::new();
    let known: BTreeSet<&Uuid> = orders.keys().chain(paid.keys()).collect();
    let nothing = Sums::default();
    for order in known {
        let sums = orders.get(order).unwrap_or(&nothing);
        let mut say = |what: String| wrong.push(format!("order {order}: {what}"));
        if sums.captures > 1 {
            say(format!("captured {} times", sums.captures));
        }
        if sums.authorised > 1 {
            say(format!("authorised {} times", sums.authorised));
        }
        if sums.captures > 0 && sums.voids > 0 {
            say("captured and voided".to_owned());
        }
        if sums.refunded > sums.captured {
            say(format!("{} given back of {}", sums.refunded, sums.captured));
        }
        match paid.get(order) {
            Some(cents) if sums.captured != *cents => say(format!("paid {cents}, captured {}", sums.captured)),
            None if sums.captures > 0 => say("captured, but the shop was not told".to_owned()),
            _ => {}
        }
    }
    wrong
}

#[test]
fn the_checker_sees_each_wrong() {
    let order = Uuid::from_u128(1);
    let entry = |operation: &str, amount_cents| Entry {
        order_id: order,
        operation: operation.to_owned(),
        amount_cents,
        happened: true,
        attempts: 1,
    };
    let paid: BTreeMap<Uuid, i64> = [(order, 5)].into();
    let (authorise, capture) = (entry("authorise", 5), entry("capture", 5));
    let good = [authorise.clone(), capture.clone()];
    assert_eq!(check(&good, &paid), Vec::<String>::new());
    let refused = Entry {
        happened: false,
        ..capture.clone()
    };
    for (ledger, paid) in [
        (vec![authorise.clone(), capture.clone(), capture.clone()], paid.clone()),
        (
            vec![authorise.clone(), authorise.clone(), capture.clone()],
            paid.clone(),
        ),
        (vec![authorise.clone(), entry("void", 5), capture.clone()], paid.clone()),
        (
            vec![authorise.clone(), capture.clone(), entry("refund", 6)],
            paid.clone(),
        ),
        (vec![authorise.clone(), entry("capture", 4)], paid.clone()),
        (vec![authorise.clone(), refused], paid.clone()),
        (vec![authorise.clone()], paid),
        (vec![authorise, capture], BTreeMap::new()),
    ] {
        assert!(!check(&ledger, &paid).is_empty(), "{ledger:?}");
    }
}
