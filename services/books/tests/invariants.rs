//! Every invariant broken on purpose, in databases made by the services' own migrations, and found by name.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use shop::{LAMP, Shop, TOTAL};
use shop_books::check::{Finding, Limits};
use shop_books::invariant::Invariant;
use shop_books::job::check::{Report, check};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

async fn look(shop: &Shop) -> Report {
    check(&shop.sources, &Limits::default(), Duration::ZERO).await.unwrap()
}

fn found(report: &Report) -> BTreeSet<(Invariant, String)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.invariant, finding.object.clone()))
        .collect()
}

fn of(invariants: &[Invariant], object: String) -> impl Iterator<Item = (Invariant, String)> {
    invariants.iter().map(move |invariant| (*invariant, object.clone()))
}

#[tokio::test]
async fn books_that_agree_are_quiet() {
    let shop = Shop::start().await;
    shop.confirmed(0).await;
    shop.confirmed(1).await;
    let declined = shop.order(0, "cancelled").await;
    shop.pay(declined, "declined", &[]).await;
    let refunded = shop.order(1, "cancelled").await;
    shop.pay(
        refunded,
        "refunded",
        &[("authorise", TOTAL), ("capture", TOTAL), ("refund", TOTAL)],
    )
    .await;
    let partly = shop.order(0, "delivered").await;
    shop.pay(
        partly,
        "captured",
        &[("authorise", TOTAL), ("capture", TOTAL), ("refund", 300)],
    )
    .await;
    shop.reserve(partly.id, "claimed").await;
    let old = shop.order(0, "accepted").await;
    shop.shard(
        0,
        format!("update orders set payment_token = null where id = '{}'", old.id),
    )
    .await;

    let report = look(&shop).await;
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.orders, report.products), (6, 1));
    let euros = &report.totals[0];
    assert_eq!(
        (euros.confirmed_cents, euros.captured_cents, euros.refunded_cents),
        (2_700, 4_000, 1_300)
    );
}

#[tokio::test]
async fn what_is_broken_is_found_by_name() {
    let shop = Shop::start().await;
    let mut expected = BTreeSet::new();
    let order = |id: Uuid| format!("order/{id}");

    let twice = shop.confirmed(0).await;
    shop.note(twice.id, "capture", TOTAL).await;
    expected.extend(of(&[Invariant::CapturedOnce, Invariant::PaidOnce], order(twice.id)));

    let unpaid = shop.confirmed(1).await;
    shop.payments(format!(
        "delete from provider_ledger where operation = 'capture' and order_id = '{}'",
        unpaid.id
    ))
    .await;
    expected.extend(of(&[Invariant::PaidOnce], order(unpaid.id)));

    let unclaimed = shop.order(0, "confirmed").await;
    shop.pay(unclaimed, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
        .await;
    expected.extend(of(&[Invariant::PaidClaimed], order(unclaimed.id)));

    let stuck = shop.order(1, "placed").await;
    expected.extend(of(&[Invariant::OrderSettled], order(stuck.id)));

    let kept = shop.order(0, "cancelled").await;
    shop.pay(kept, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
        .await;
    shop.reserve(kept.id, "claimed").await;
    expected.extend(of(&[Invariant::CancelledReleased], order(kept.id)));

    let gone = shop.confirmed(1).await;
    shop.shard(1, format!("delete from orders where id = '{}'", gone.id))
        .await;
    expected.extend(of(
        &[Invariant::PaymentHasOrder, Invariant::CancelledReleased],
        order(gone.id),
    ));

    let late = shop.order(0, "cancelled").await;
    shop.reserve(late.id, "reserved").await;
    let back = format!(
        "update inventory_reservations set expires_at = now() - interval '20 minutes' where order_id = '{}'",
        late.id
    );
    shop.catalog(back).await;
    expected.extend(of(
        &[Invariant::ReservationExpired, Invariant::CancelledReleased],
        order(late.id),
    ));

    let unmoved = shop.order(1, "confirmed").await;
    shop.pay(unmoved, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
        .await;
    shop.reserve(unmoved.id, "released").await;
    shop.catalog(format!(
        "update inventory_reservations set state = 'claimed' where order_id = '{}'",
        unmoved.id
    ))
    .await;
    expected.extend(of(
        &[Invariant::PaidClaimed, Invariant::StockMovements],
        order(unmoved.id),
    ));

    let waiting = "insert into outbox (id, kind, payload, created_at) \
         values (gen_random_uuid(), 'order.placed', '{}', now() - interval '2 minutes')";
    shop.shard(1, waiting.to_owned()).await;
    expected.extend(of(&[Invariant::OutboxFresh], "outbox/orders/1/outbox".to_owned()));
    expected.extend(of(&[Invariant::Money], "currency/EUR".to_owned()));

    let report = look(&shop).await;
    assert_eq!(found(&report), expected, "{report:#?}");
    let euros = &report.totals[0];
    assert_eq!(
        (euros.confirmed_cents, euros.captured_cents),
        (4_000, 6_000),
        "{euros:?}"
    );
}

/// Each of these orders is between two databases for a moment.
#[tokio::test]
async fn money_on_its_way_back_is_missed_by_nobody() {
    let shop = Shop::start().await;
    let captured = [("authorise", TOTAL), ("capture", TOTAL)];
    let given_back = [("authorise", TOTAL), ("capture", TOTAL), ("refund", TOTAL)];

    let unheard = shop.order(0, "cancelled").await;
    shop.cancelled_ago(unheard, 1).await;
    shop.pay(unheard, "captured", &captured).await;

    let asked = shop.order(1, "cancelled").await;
    shop.cancelled_ago(asked, 500).await;
    shop.pay(asked, "refunding", &captured).await;

    let partly = shop.confirmed(0).await;
    shop.owe(partly, 300).await;
    shop.note(partly.id, "refund", 300).await;

    let done = shop.order(1, "cancelled").await;
    shop.cancelled_ago(done, 500).await;
    shop.pay(done, "refunded", &given_back).await;

    let report = look(&shop).await;
    let money = |finding: &&Finding| finding.invariant == Invariant::Money;
    assert_eq!(report.findings.iter().find(money), None, "{report:#?}");
    assert_eq!(report.totals[0].orders, 1, "{report:#?}");

    // Nobody has given it back for too long.
    let shop = Shop::start().await;
    let late = shop.order(0, "cancelled").await;
    shop.cancelled_ago(late, 500).await;
    shop.pay(late, "captured", &captured).await;
    assert!(look(&shop).await.findings.iter().any(|finding| money(&finding)));
}

#[tokio::test]
async fn orders_of_a_detached_month_are_not_missed() {
    let shop = Shop::start().await;
    let order = shop.order(0, "delivered").await;
    shop.pay(order, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
        .await;
    shop.reserve(order.id, "claimed").await;
    assert_eq!(look(&shop).await.totals[0].orders, 1);
    shop.detach(0).await;
    let report = look(&shop).await;
    assert!(report.holds() && report.totals.is_empty(), "{report:#?}");

    // In months that are attached everywhere an order that is not there is missing.
    let shop = Shop::start().await;
    let gone = shop.confirmed(0).await;
    shop.shard(0, format!("delete from orders where id = '{}'", gone.id))
        .await;
    assert!(!look(&shop).await.holds());
}

#[tokio::test]
async fn stock_that_was_sold_twice_or_lost_an_update_is_found() {
    let shop = Shop::start().await;
    let (oversold, lost) = (Uuid::from_u128(8), Uuid::from_u128(9));
    shop.stock(oversold, 5).await;
    shop.stock(lost, 5).await;
    assert!(look(&shop).await.holds());
    shop.catalog("alter table stock_slots drop constraint stock_slots_never_oversold".to_owned())
        .await;
    shop.catalog(format!(
        "update stock_slots set reserved = 6 where product_id = '{oversold}'"
    ))
    .await;
    shop.catalog(format!(
        "update stock_slots set on_hand = on_hand + 1 where product_id = '{lost}'"
    ))
    .await;
    let product = |id: Uuid| format!("product/{id}");
    let mut expected = BTreeSet::new();
    expected.extend(of(
        &[Invariant::StockLevel, Invariant::StockMovements],
        product(oversold),
    ));
    expected.extend(of(&[Invariant::StockMovements], product(lost)));
    let report = look(&shop).await;
    assert_eq!(found(&report), expected, "{report:#?}");
    assert_ne!(oversold, LAMP);
}

#[tokio::test]
async fn what_does_not_answer_is_unknown_and_never_absent() {
    let shop = Shop::start().await;
    let (here, there) = (shop.confirmed(0).await, shop.confirmed(1).await);
    let without = shop.without(1).await;
    let facts = without.facts(&[here.id, there.id]).await.unwrap();
    let judged: Vec<bool> = facts
        .iter()
        .map(|facts| shop_books::check::check_order(facts, &Limits::default()).is_some())
        .collect();
    assert_eq!(judged, [true, false], "{facts:?}");
    let walked = check(&without, &Limits::default(), Duration::ZERO).await;
    assert!(walked.is_err(), "a pass over all orders needs all shards: {walked:?}");
}
