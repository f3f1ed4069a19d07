//! What payment and inventory say, in any order and more than once, alone and in batches.

use crate::shop::{Answer, Shop, bearer, call};
use serde_json::json;
use shop_contract::api::Role;
use shop_contract::event::{PAYMENT_CAPTURED, PAYMENT_DECLINED, PaymentEvent, STOCK_REJECTED, StockEvent};
use shop_kit_events::{HandleError, Handler, Message};
use shop_order::job::saga::Saga;
use uuid::Uuid;

const AT: &str = "2026-11-24T12:00:00.000000Z";

pub fn payment(kind: &str, user: Uuid, order: Uuid) -> Message {
    let event = PaymentEvent {
        event_id: Uuid::now_v7(),
        payment_id: Uuid::now_v7(),
        order_id: order,
        user_id: user,
        amount_cents: 250,
        currency: "EUR".to_owned(),
        reason: None,
        lines: Vec::new(),
        synthetic: false,
        at: AT.to_owned(),
    };
    message(kind, event.event_id, &event)
}

fn rejected(user: Uuid, order: Uuid) -> Message {
    let event = StockEvent {
        event_id: Uuid::now_v7(),
        order_id: order,
        user_id: user,
        synthetic: false,
        at: AT.to_owned(),
    };
    message(STOCK_REJECTED, event.event_id, &event)
}

fn message(kind: &str, id: Uuid, event: &impl serde::Serialize) -> Message {
    Message {
        id,
        kind: kind.to_owned(),
        payload: serde_json::to_vec(event).unwrap(),
        attempt: 1,
    }
}

impl Shop {
    pub fn saga(&self) -> Saga {
        Saga {
            shards: self.pools.clone(),
        }
    }

    pub async fn status(&self, user: Uuid, order: Uuid) -> String {
        let answer = self.get(user, &format!("/api/v1/orders/{order}")).await;
        answer.body["status"].as_str().unwrap().to_owned()
    }

    /// `placed`, then what followed and who did it.
    pub async fn story(&self, user: Uuid, order: Uuid) -> Vec<(String, String)> {
        let answer = self.get(user, &format!("/api/v1/orders/{order}/history")).await;
        let items = answer.body["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer:?}"))
            .clone();
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        items
            .iter()
            .map(|item| (word(&item["status"]), word(&item["by"])))
            .collect()
    }

    /// Kinds of the events of an order, in the order they were written.
    pub async fn told(&self, shard: u16, order: Uuid) -> Vec<String> {
        sqlx::query_scalar("select kind from outbox where payload::json->>'order_id' = $1 order by id")
            .bind(order.to_string())
            .fetch_all(self.pool(shard).executor())
            .await
            .unwrap()
    }

    pub async fn confirmed_order(&self, user: Uuid) -> Uuid {
        let order = self.order(user).await;
        self.saga()
            .handle(&[payment(PAYMENT_CAPTURED, user, order)])
            .await
            .unwrap();
        order
    }

    pub async fn cancel(&self, user: Uuid, order: Uuid) -> Answer {
        let path = format!("/api/v1/orders/{order}/cancel");
        call(&self.app, "POST", &path, &bearer(user, Role::Customer), &[], None).await
    }
}

#[tokio::test]
async fn a_captured_payment_confirms_once_however_often_it_comes() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let order = shop.order(user).await;
    let (captured, again) = (
        payment(PAYMENT_CAPTURED, user, order),
        payment(PAYMENT_CAPTURED, user, order),
    );
    let saga = shop.saga();
    saga.handle(&[captured.clone(), captured.clone(), again.clone()])
        .await
        .unwrap();
    saga.handle(&[captured]).await.unwrap();
    saga.handle(&[again, payment(PAYMENT_CAPTURED, user, order)])
        .await
        .unwrap();
    let story = [
        ("placed".to_owned(), "customer".to_owned()),
        ("confirmed".to_owned(), "payment".to_owned()),
    ];
    assert_eq!(shop.story(user, order).await, story);
    assert_eq!(shop.told(1, order).await, ["order.placed", "order.confirmed"]);
    assert_eq!(
        shop.count(1, "select count(*) from inbox where consumer = 'order.work'")
            .await,
        3
    );
    let event = "select payload from outbox where kind = 'order.confirmed'";
    let event: String = sqlx::query_scalar(event)
        .fetch_one(shop.pool(1).executor())
        .await
        .unwrap();
    let event: serde_json::Value = serde_json::from_str(&event).unwrap();
    let placed = shop.get(user, &format!("/api/v1/orders/{order}")).await.body;
    for field in ["total_cents", "currency", "lines", "user_id"] {
        assert_eq!(event[field], placed[field], "{field}");
    }
    assert_eq!(
        (&event["placed_at"], &event["synthetic"]),
        (&placed["created_at"], &json!(false))
    );
    assert!(event.get("payment_token").is_none());
}

/// Every order of three facts that exclude each other ends the same way, in one batch and one after another, in both
/// shards at the same time.
#[tokio::test]
async fn the_order_of_events_does_not_matter() {
    let shop = Shop::start().await;
    let saga = shop.saga();
    let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let (mut batch, mut orders) = (Vec::new(), Vec::new());
    for (number, permutation) in permutations.iter().enumerate() {
        for together in [true, false] {
            let shard = u16::try_from(number % 2).unwrap();
            let user = shop.two.user_in(shard);
            let order = shop.order(user).await;
            orders.push((shard, user, order));
            let facts = [
                payment(PAYMENT_CAPTURED, user, order),
                payment(PAYMENT_DECLINED, user, order),
                rejected(user, order),
            ];
            for fact in permutation.map(|index| facts[index].clone()) {
                if together {
                    batch.push(fact)
                } else {
                    saga.handle(&[fact]).await.unwrap()
                }
            }
        }
    }
    saga.handle(&batch).await.unwrap();
    saga.handle(&batch).await.unwrap();
    for (shard, user, order) in orders {
        assert_eq!(shop.status(user, order).await, "cancelled");
        let cancelled = shop
            .told(shard, order)
            .await
            .into_iter()
            .filter(|kind| kind == "order.cancelled")
            .count();
        assert_eq!(cancelled, 1);
        let story = shop.story(user, order).await;
        assert!(story.len() <= 3 && story.last().unwrap().0 == "cancelled", "{story:?}");
    }
}

#[tokio::test]
async fn a_refusal_cancels_with_its_reason() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let (declined, short) = (shop.order(user).await, shop.order(user).await);
    shop.saga()
        .handle(&[payment(PAYMENT_DECLINED, user, declined), rejected(user, short)])
        .await
        .unwrap();
    for (order, reason, by) in [
        (declined, "payment_declined", "payment"),
        (short, "out_of_stock", "inventory"),
    ] {
        let answer = shop.get(user, &format!("/api/v1/orders/{order}")).await;
        assert_eq!(answer.body["cancel_reason"], reason, "{answer:?}");
        assert_eq!(
            shop.story(user, order).await[1],
            ("cancelled".to_owned(), by.to_owned())
        );
        let event = "select payload from outbox where kind = 'order.cancelled' and payload::json->>'order_id' = $1";
        let pool = shop.pool(0);
        let event: String = sqlx::query_scalar(event)
            .bind(order.to_string())
            .fetch_one(pool.executor())
            .await
            .unwrap();
        assert!(event.contains(&format!("\"cancel_reason\":\"{reason}\"")), "{event}");
    }
}

#[tokio::test]
async fn what_is_unknown_moves_nothing_and_what_cannot_be_read_is_poison() {
    let shop = Shop::start().await;
    let (user, stranger) = (shop.two.user_in(0), shop.two.user_in(0));
    let order = shop.order(user).await;
    let saga = shop.saga();
    saga.handle(&[payment(PAYMENT_CAPTURED, stranger, Uuid::now_v7())])
        .await
        .unwrap();
    saga.handle(&[message(
        "order.placed",
        Uuid::now_v7(),
        &json!({"of": "the version before"}),
    )])
    .await
    .unwrap();
    for (kind, body) in [
        (PAYMENT_CAPTURED, json!({})),
        (STOCK_REJECTED, json!("x")),
        ("user.registered", json!({})),
    ] {
        let poisoned = saga.handle(&[message(kind, Uuid::now_v7(), &body)]).await;
        assert!(matches!(poisoned, Err(HandleError::Poison(_))), "{kind}: {poisoned:?}");
    }
    assert_eq!(shop.status(user, order).await, "placed");
}

/// A shard that is away fails its own messages, and is told from a message that is wrong.
#[tokio::test]
async fn a_shard_that_is_away_is_not_the_messages_fault() {
    let shop = Shop::start().await;
    let (here, there) = (shop.two.user_in(0), shop.two.user_in(1));
    let (mine, theirs) = (shop.order(here).await, shop.order(there).await);
    let saga = Saga {
        shards: shop.two.open_without(1).await.unwrap(),
    };
    let batch = [
        payment(PAYMENT_CAPTURED, here, mine),
        payment(PAYMENT_CAPTURED, there, theirs),
    ];
    let failed = saga.handle(&batch).await;
    assert!(matches!(failed, Err(HandleError::Unavailable(_))), "{failed:?}");
    assert_eq!(shop.status(here, mine).await, "confirmed");
    shop.saga().handle(&batch).await.unwrap();
    assert_eq!(shop.status(there, theirs).await, "confirmed");
    assert_eq!(shop.told(0, mine).await, ["order.placed", "order.confirmed"]);
}

/// The row's lock decides; both wait for it here before either may have it.
#[tokio::test]
async fn cancelling_while_the_payment_is_captured_ends_cancelled() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    for captured_first in [true, false] {
        let order = shop.order(user).await;
        let mut holder = shop.pool(0).begin().await.unwrap();
        sqlx::query("select from orders where id = $1 for update")
            .bind(order)
            .execute(&mut *holder)
            .await
            .unwrap();
        let (saga, app) = (shop.saga(), shop.app.clone());
        let capture = async move { saga.handle(&[payment(PAYMENT_CAPTURED, user, order)]).await.unwrap() };
        let path = format!("/api/v1/orders/{order}/cancel");
        let cancel = async move { call(&app, "POST", &path, &bearer(user, Role::Customer), &[], None).await };
        let (capture, cancel) = if captured_first {
            let capture = tokio::spawn(capture);
            shop.until_locked(1).await;
            (capture, tokio::spawn(cancel))
        } else {
            let cancel = tokio::spawn(cancel);
            shop.until_locked(1).await;
            (tokio::spawn(capture), cancel)
        };
        shop.until_locked(2).await;
        holder.commit().await.unwrap();
        capture.await.unwrap();
        let cancelled = cancel.await.unwrap();
        assert_eq!(
            (cancelled.status, &cancelled.body["status"]),
            (200, &json!("cancelled")),
            "{cancelled:?}"
        );
        let told = shop.told(0, order).await;
        if captured_first {
            assert_eq!(told, ["order.placed", "order.confirmed", "order.cancelled"]);
        } else {
            assert_eq!(told, ["order.placed", "order.cancelled"]);
        }
    }
}

/// Many at once, in whatever order the scheduler likes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellations_and_captures_at_the_same_time_cancel_once() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(shop.order(user).await);
    }
    let batch: Vec<Message> = orders
        .iter()
        .map(|order| payment(PAYMENT_CAPTURED, user, *order))
        .collect();
    let (saga, other) = (shop.saga(), shop.saga());
    let backwards: Vec<Message> = batch.iter().rev().cloned().collect();
    let cancels = orders.iter().map(|order| shop.cancel(user, *order));
    let (one, two, cancelled) = tokio::join!(
        saga.handle(&batch),
        other.handle(&backwards),
        futures::future::join_all(cancels)
    );
    one.unwrap();
    two.unwrap();
    assert!(cancelled.iter().all(|answer| answer.status == 200), "{cancelled:?}");
    for order in orders {
        assert_eq!(shop.status(user, order).await, "cancelled");
        let told = shop.told(1, order).await;
        let times = |kind: &str| told.iter().filter(|told| *told == kind).count();
        assert!(
            times("order.cancelled") == 1 && times("order.confirmed") <= 1,
            "{told:?}"
        );
        assert_eq!(
            shop.story(user, order).await.last().unwrap(),
            &("cancelled".to_owned(), "customer".to_owned())
        );
    }
}

impl Shop {
    /// Waits until so many statements wait for a lock on a row of an order in shard 0.
    async fn until_locked(&self, waiting: i64) {
        let statement = "select count(*) from pg_stat_activity \
             where datname = current_database() and wait_event_type = 'Lock' and query like '%for update'";
        let held = crate::shop::eventually(async || {
            let now = self.count(0, statement).await;
            if now == waiting { Ok(()) } else { Err(now) }
        });
        held.await
            .unwrap_or_else(|now| panic!("{now} statements wait, not {waiting}"));
    }
}
