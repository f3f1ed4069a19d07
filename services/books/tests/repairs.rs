//! What lasts is repaired by its owner's own event, once in a while, with an audit; what is fresh or unknown is not.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use serde_json::Value;
use shop::{Placed, Shop, TOTAL};
use shop_books::check::Limits;
use shop_books::job::judge::judge_orders;
use shop_books::job::walk::round;
use shop_books::read::Sources;
use shop_books::store::{audit, cursor, finding, lease};
use shop_contract::event::{OrderEvent, PaymentEvent, StockEvent};
use shop_kit_postgres::Pool;
use uuid::Uuid;

const AUTHORISED: &[(&str, i64)] = &[("authorise", TOTAL)];
const CAPTURED: &[(&str, i64)] = &[("authorise", TOTAL), ("capture", TOTAL)];

async fn judge(sources: &Sources, order: Placed) -> usize {
    judge_orders(sources, &[order.id], &Limits::default())
        .await
        .unwrap()
        .repaired
}

/// Judges, lets time pass, judges again.
async fn judge_when_lasting(shop: &Shop, sources: &Sources, order: Placed) -> usize {
    assert_eq!(judge(sources, order).await, 0, "what is fresh may be work under way");
    age(shop).await;
    judge(sources, order).await
}

async fn age(shop: &Shop) {
    shop.payments("update books_findings set first_seen = first_seen - interval '2 minutes'".to_owned())
        .await;
}

/// How an order came to a halt, and what has to be said again.
struct Halt {
    payment: Option<(&'static str, &'static [(&'static str, i64)])>,
    stock: Option<&'static str>,
    status: &'static str,
    says: &'static str,
}

const HALTS: &[Halt] = &[
    Halt {
        payment: None,
        stock: Some("reserved"),
        status: "placed",
        says: "order.placed",
    },
    Halt {
        payment: Some(("declined", &[])),
        stock: Some("reserved"),
        status: "placed",
        says: "payment.declined",
    },
    Halt {
        payment: Some(("authorized", AUTHORISED)),
        stock: Some("reserved"),
        status: "placed",
        says: "payment.authorized",
    },
    Halt {
        payment: Some(("authorized", AUTHORISED)),
        stock: Some("rejected"),
        status: "placed",
        says: "stock.rejected",
    },
    Halt {
        payment: Some(("authorized", AUTHORISED)),
        stock: Some("claimed"),
        status: "placed",
        says: "stock.claimed",
    },
    Halt {
        payment: Some(("captured", CAPTURED)),
        stock: Some("claimed"),
        status: "placed",
        says: "payment.captured",
    },
    Halt {
        payment: Some(("captured", CAPTURED)),
        stock: None,
        status: "confirmed",
        says: "payment.authorized",
    },
    Halt {
        payment: Some(("captured", CAPTURED)),
        stock: Some("claimed"),
        status: "cancelled",
        says: "order.cancelled",
    },
];

fn outbox<'a>(shop: &'a Shop, shard: &'a Pool, says: &str) -> (&'a Pool, &'static str) {
    match says.split_once('.').unwrap().0 {
        "order" => (shard, "outbox"),
        "payment" => (&shop.payments, "payment_outbox"),
        _ => (&shop.catalog, "inventory_outbox"),
    }
}

/// Names the right order and can be read by whoever takes it.
fn readable(kind: &str, payload: Value, order: Placed) {
    let (about, user) = match kind.split_once('.').unwrap().0 {
        "order" => serde_json::from_value::<OrderEvent>(payload).map(|event| (event.order_id, event.user_id)),
        "payment" => serde_json::from_value::<PaymentEvent>(payload).map(|event| (event.order_id, event.user_id)),
        _ => serde_json::from_value::<StockEvent>(payload).map(|event| (event.order_id, event.user_id)),
    }
    .unwrap();
    assert_eq!((about, user), (order.id, order.user));
}

#[tokio::test]
async fn an_order_that_halted_is_told_the_event_it_missed() {
    let shop = Shop::start().await;
    for halt in HALTS {
        let order = shop.order(1, halt.status).await;
        if let Some((state, noted)) = halt.payment {
            shop.pay(order, state, noted).await;
        }
        if let Some(state) = halt.stock {
            shop.reserve(order.id, state).await;
        }
        let shard = shop.shards().get(1).unwrap().pool;
        let (pool, table) = outbox(&shop, &shard, halt.says);
        assert_eq!(
            judge_when_lasting(&shop, &shop.sources, order).await,
            1,
            "{}",
            halt.says
        );
        let said = shop.outbox(pool, table).await;
        let (kind, payload) = said.last().cloned().unwrap();
        assert_eq!(kind, halt.says);
        readable(&kind, payload, order);
        assert_eq!(
            judge(&shop.sources, order).await,
            0,
            "said again too soon: {}",
            halt.says
        );
        assert_eq!(shop.outbox(pool, table).await.len(), said.len());
    }
    let shard = shop.shards().get(1).unwrap().pool;
    let placed = shop.outbox(&shard, "outbox").await;
    assert_eq!(placed[0].1["payment_token"], "tok_ok");
}

#[tokio::test]
async fn a_repair_leaves_an_audit_from_before_to_after() {
    let shop = Shop::start().await;
    let order = shop.order(0, "placed").await;
    shop.pay(order, "captured", CAPTURED).await;
    shop.reserve(order.id, "claimed").await;
    assert_eq!(judge_when_lasting(&shop, &shop.sources, order).await, 1);
    let entry = audit::list(&shop.payments, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(
        (entry.invariant.as_str(), entry.object.clone()),
        ("order_settled", format!("order/{}", order.id))
    );
    assert!(
        entry.action.starts_with("emit payment.captured ") && entry.action.ends_with(" into payments/payment_outbox"),
        "{}",
        entry.action
    );
    assert_eq!(entry.before["order"]["known"]["status"], "placed");
    assert!(
        entry.after.is_none() && !entry.before.to_string().contains("tok_ok"),
        "{entry:?}"
    );

    shop.shard(
        0,
        format!("update orders set status = 'confirmed' where id = '{}'", order.id),
    )
    .await;
    judge(&shop.sources, order).await;
    let entry = audit::list(&shop.payments, None, 10).await.unwrap().pop().unwrap();
    assert_eq!(entry.after.unwrap()["order"]["known"]["status"], "confirmed");
    assert!(finding::open(&shop.payments, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn money_of_an_order_that_is_nowhere_goes_back_only_when_every_shard_says_so() {
    let shop = Shop::start().await;
    let order = shop.confirmed(1).await;
    shop.shard(1, format!("delete from orders where id = '{}'", order.id))
        .await;
    let (blind, shard) = (shop.without(0).await, shop.shards().get(1).unwrap().pool);
    assert_eq!(judge_when_lasting(&shop, &blind, order).await, 0);
    assert!(
        finding::open(&shop.payments, 10).await.unwrap().is_empty(),
        "unknown is not absent"
    );

    assert!(judge_when_lasting(&shop, &shop.sources, order).await > 0);
    let said = shop.outbox(&shard, "outbox").await;
    assert_eq!(said[0].0, "order.cancelled");
    readable(&said[0].0, said[0].1.clone(), order);
}

#[tokio::test]
async fn money_of_an_order_whose_month_was_detached_is_not_given_back() {
    let shop = Shop::start().await;
    let order = shop.order(0, "delivered").await;
    shop.pay(order, "captured", CAPTURED).await;
    shop.reserve(order.id, "claimed").await;
    shop.detach(0).await;
    assert_eq!(judge_when_lasting(&shop, &shop.sources, order).await, 0);
    assert!(finding::open(&shop.payments, 10).await.unwrap().is_empty());
    let shard = shop.shards().get(0).unwrap().pool;
    assert_eq!(shop.outbox(&shard, "outbox").await, []);
}

#[tokio::test]
async fn a_round_walks_on_from_where_the_last_one_was() {
    let shop = Shop::start().await;
    let now = jiff::Timestamp::now().as_second();
    let fine = shop.confirmed(0).await;
    let broken = shop.confirmed(1).await;
    shop.note(broken.id, "capture", TOTAL).await;
    for _ in 0..2 {
        round(&shop.sources, &Limits::default(), now).await.unwrap();
    }
    let reached = cursor::read(&shop.payments, cursor::RECENT).await.unwrap().position;
    assert!(reached > fine.id && reached > broken.id);
    age(&shop).await;
    let counted = |states: Vec<(shop_books::invariant::Invariant, u64, Option<i64>)>| {
        let lasting = states
            .iter()
            .filter(|(_, count, _)| *count > 0)
            .map(|(invariant, ..)| invariant.name());
        let unseen = states.iter().filter(|(_, _, checked)| checked.is_none()).count();
        (lasting.collect::<Vec<_>>(), unseen)
    };
    let states = finding::states(&shop.payments).await.unwrap();
    assert_eq!(counted(states), (vec!["captured_once", "paid_once", "money"], 0));

    shop.payments(format!(
        "delete from provider_ledger where key in (select key from provider_ledger \
        where order_id = '{}' and operation = 'capture' limit 1)",
        broken.id
    ))
    .await;
    round(&shop.sources, &Limits::default(), now).await.unwrap();
    let states = finding::states(&shop.payments).await.unwrap();
    assert_eq!(counted(states).0, ["money"], "the sums are those of the last pass");
}

#[tokio::test]
async fn one_instance_works_at_a_time() {
    let shop = Shop::start().await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    assert!(lease::take(&shop.payments, one, 60.0).await.unwrap());
    assert!(!lease::take(&shop.payments, other, 60.0).await.unwrap());
    assert!(
        lease::take(&shop.payments, one, 0.0).await.unwrap(),
        "its holder keeps it"
    );
    assert!(lease::take(&shop.payments, other, 60.0).await.unwrap(), "it has ended");
    lease::give_back(&shop.payments, other).await.unwrap();
    assert!(lease::take(&shop.payments, one, 60.0).await.unwrap());
}
