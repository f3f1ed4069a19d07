//! A run that went well, and the same run with one thing wrong in it.

use super::*;

const USER: Uuid = Uuid::from_u128(1);
const LAMP: Uuid = Uuid::from_u128(2);
const PRICE: i64 = 500;

fn order_id(number: u128) -> Uuid {
    Uuid::from_u128(100 + number)
}

fn entry(number: u128, operation: Operation) -> LedgerEntry {
    LedgerEntry {
        order: order_id(number),
        operation,
        cents: PRICE,
        currency: "EUR".to_owned(),
    }
}

fn mail(number: u128, kind: &str) -> Mail {
    Mail {
        order: order_id(number),
        kind: kind.to_owned(),
    }
}

/// Three orders of one lamp each: two confirmed, one cancelled after its capture; ten lamps to begin with.
fn good() -> (Promises, Found) {
    let (mut promises, mut found) = (Promises::default(), Found::default());
    let mut mails = Vec::new();
    promises.customers.insert(USER);
    for number in 0..3 {
        let (id, kept) = (order_id(number), number < 2);
        let line = PricedLine {
            product_id: LAMP,
            quantity: 1,
            price_cents: PRICE,
        };
        let acknowledged = Acknowledged {
            order: id,
            total_cents: PRICE,
            currency: "EUR".to_owned(),
            lines: vec![OrderLine {
                product_id: LAMP,
                quantity: 1,
            }],
        };
        promises.checkouts.insert(
            Uuid::from_u128(number),
            Checkout {
                user: USER,
                end: End::Acknowledged(acknowledged),
            },
        );
        found.orders.push(OrderFound {
            shard: 0,
            id,
            user: USER,
            status: if kept {
                OrderStatus::Confirmed
            } else {
                OrderStatus::Cancelled
            },
            total_cents: PRICE,
            currency: "EUR".to_owned(),
            lines: vec![line],
        });
        found
            .ledger
            .extend([entry(number, Operation::Authorise), entry(number, Operation::Capture)]);
        if kept {
            found.claimed.insert((id, LAMP), 1);
            mails.push(mail(number, "order.confirmed"));
        }
    }
    found.ledger.push(entry(2, Operation::Refund));
    mails.extend([mail(2, "order.confirmed"), mail(2, "order.cancelled")]);
    promises.cancelled.insert(order_id(2));
    found.mails = Some(mails);
    found.stock = vec![Level {
        product: LAMP,
        on_hand: 8,
        reserved: 0,
        movements: 8,
        reservations: 0,
    }];
    (promises, found)
}

/// The kinds of violation after `spoil`.
fn after(spoil: impl FnOnce(&mut Promises, &mut Found)) -> Vec<&'static str> {
    let (mut promises, mut found) = good();
    spoil(&mut promises, &mut found);
    let violations = check(&promises, &found);
    let mut kinds: Vec<&'static str> = violations.iter().map(|violation| violation.what).collect();
    kinds.dedup();
    kinds
}

#[test]
fn a_good_run_is_good() {
    let (promises, found) = good();
    assert_eq!(check(&promises, &found), []);
}

#[test]
fn a_lost_update_is_found() {
    // Two orders read nine lamps on hand and both wrote eight.
    assert_eq!(after(|_, found| found.stock[0].on_hand = 9), ["stock"]);
    assert_eq!(after(|_, found| found.stock[0].reserved = 1), ["stock"]);
    // The order's own update was lost: it is confirmed, and the stock knows nothing of it.
    assert_eq!(
        after(|_, found| found.claimed.retain(|(order, _), _| *order != order_id(1))),
        ["stock"]
    );
}

#[test]
fn a_double_capture_is_found() {
    let kinds = after(|_, found| found.ledger.push(entry(0, Operation::Capture)));
    assert_eq!(kinds, ["captured twice", "money"]);
    // Also where the second one was given back.
    let kinds = after(|_, found| {
        found
            .ledger
            .extend([entry(0, Operation::Capture), entry(0, Operation::Refund)])
    });
    assert_eq!(kinds, ["captured twice"]);
}

#[test]
fn lost_altered_and_surplus_orders_are_found() {
    assert_eq!(after(|_, found| drop(found.orders.remove(0))), ["lost", "money"]);
    assert_eq!(after(|_, found| found.orders[0].total_cents += 1), ["altered", "money"]);
    assert_eq!(
        after(|_, found| found.orders[0].lines[0].quantity = 2),
        ["altered", "stock"]
    );
    let twin = |found: &mut Found| {
        let other = OrderFound {
            shard: 1,
            ..found.orders[0].clone()
        };
        found.orders.push(other);
    };
    assert_eq!(after(|_, found| twin(found)), ["twice"]);
    let forgotten = |promises: &mut Promises| promises.checkouts.remove(&Uuid::from_u128(0));
    assert_eq!(after(|promises, _| drop(forgotten(promises))), ["surplus"]);
    let open = |promises: &mut Promises| {
        let checkout = promises.checkouts.get_mut(&Uuid::from_u128(0)).unwrap();
        checkout.end = End::Open;
    };
    assert_eq!(
        after(|promises, _| open(promises)),
        Vec::<&str>::new(),
        "nobody was told, so it may be either way"
    );
    let twice = |promises: &mut Promises| {
        let same = promises.checkouts[&Uuid::from_u128(0)].clone();
        promises.checkouts.insert(Uuid::from_u128(9), same);
    };
    assert_eq!(after(|promises, _| twice(promises)), ["twice"]);
}

#[test]
fn money_stock_and_mails_that_do_not_fit_are_found() {
    assert_eq!(
        after(|_, found| found.ledger.retain(|entry| entry.operation != Operation::Refund)),
        ["money"]
    );
    assert_eq!(
        after(|_, found| found.orders[0].status = OrderStatus::Placed),
        ["mail", "money", "unfinished"]
    );
    let never = |found: &mut Found| found.ledger.retain(|entry| entry.order != order_id(0));
    assert_eq!(after(|_, found| never(found)), ["money", "unpaid"]);
    assert_eq!(after(|_, found| found.ledger[1].currency = "USD".to_owned()), ["money"]);
    assert_eq!(
        after(|_, found| found.claimed.extend([((order_id(2), LAMP), 1)])),
        ["stock"]
    );
    assert_eq!(
        after(|_, found| found.mails.as_mut().unwrap().push(mail(0, "order.confirmed"))),
        ["mail"]
    );
    assert_eq!(after(|_, found| found.mails = Some(Vec::new())), ["mail"]);
    assert_eq!(
        after(|_, found| found.orders[2].status = OrderStatus::Confirmed),
        ["altered", "mail", "money", "stock"]
    );
}

#[test]
fn a_hot_product_is_sold_exactly() {
    let hot = |units| move |promises: &mut Promises, _: &mut Found| promises.hot = Some(Hot { product: LAMP, units });
    assert_eq!(after(hot(2)), Vec::<&str>::new());
    assert_eq!(after(hot(1)), ["oversold"]);
    assert_eq!(
        after(hot(3)),
        ["oversold"],
        "a customer was sent away while one was left"
    );
}

#[test]
fn a_log_is_read_as_promises() {
    let (key, user) = (Uuid::from_u128(5), USER);
    let intent = Line::Intent {
        key,
        user,
        token: "tok_ok".to_owned(),
    };
    let refused = Line::Refused {
        key,
        user,
        status: 409,
        kind: "out-of-stock".to_owned(),
    };
    let begun = Promises::of_log(vec![Line::Customer { user }, intent.clone()]);
    assert!(matches!(begun.checkouts[&key].end, End::Open) && begun.customers.contains(&user));
    let told = Promises::of_log(vec![intent, refused]);
    assert!(matches!(told.checkouts[&key].end, End::Refused));
}
