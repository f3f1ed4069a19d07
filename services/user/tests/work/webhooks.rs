//! Deliveries that wait, and who calls: whatever fails, breaks or happens at the same moment.

use crate::notifications::{DELIVERED, DUE, SECRET};
use crate::place::Place;
use crate::receiver::Receiver;
use prometheus::Registry;
use shop_contract::event::ORDER_SHIPPED;
use shop_user::job::deliver::Deliverer;
use shop_user::job::webhooks::{WebhookMetrics, Webhooks};
use shop_user::store::webhook::{self, NewDelivery};
use shop_user::webhook::WebhookRules;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;
use uuid::Uuid;

const WAITING: &str = "select count(*) from user_webhook_deliveries where state = 'waiting'";
const GIVEN_UP: &str = "select count(*) from user_webhook_deliveries where state = 'given_up'";

impl Place {
    fn webhooks(&self) -> Webhooks {
        Webhooks {
            shards: self.pools.clone(),
            deliverer: Deliverer::new(WebhookRules { private: true }).unwrap(),
            metrics: WebhookMetrics::new(&Registry::new()).unwrap(),
            wake: Arc::default(),
        }
    }

    /// A customer with a webhook for which so many deliveries wait.
    async fn told(&self, email: &str, url: &str, deliveries: usize) -> Uuid {
        let user = self.customer(0, email).await;
        assert!(webhook::set(&self.pools, user, url, SECRET).await.unwrap());
        let new = (0..deliveries).map(|_| NewDelivery {
            event_id: Uuid::now_v7(),
            user_id: user,
            kind: ORDER_SHIPPED.to_owned(),
            body: "{}".to_owned(),
        });
        let pool = self.pool(0);
        let mut transaction = pool.begin().await.unwrap();
        let kept = webhook::add(&mut transaction, &new.collect::<Vec<_>>()).await.unwrap();
        pool.commit(transaction).await.unwrap();
        assert_eq!(kept, deliveries as u64);
        user
    }
}

/// Calls what is due, once.
async fn call(webhooks: &Webhooks) {
    let mut calls = JoinSet::new();
    webhooks.call_due(&mut calls).await;
    calls.join_all().await;
}

#[tokio::test]
async fn a_webhook_that_never_answers_is_left_alone_and_given_up_in_the_end() {
    let (place, broken, well) = (
        Place::start().await,
        Receiver::start(usize::MAX).await,
        Receiver::start(0).await,
    );
    place.told("ada@example.com", &broken.url, 2).await;
    place.told("bob@example.com", &well.url, 2).await;
    let webhooks = place.webhooks();
    for _ in 0..2 {
        call(&webhooks).await;
    }
    // Its second delivery waits as well, and another's does not.
    assert_eq!((broken.calls().len(), well.calls().len()), (1, 2));
    assert_eq!(place.count(0, DELIVERED).await, 2);
    for _ in 0..9 {
        place.execute(0, DUE).await;
        call(&webhooks).await;
    }
    assert_eq!((place.count(0, GIVEN_UP).await, place.count(0, WAITING).await), (2, 0));
    let ids: Vec<String> = broken.calls().into_iter().map(|call| call.id).collect();
    assert!(
        ids.len() == 10 && ids.is_sorted(),
        "oldest first, five times each: {ids:?}"
    );
}

#[tokio::test]
async fn callers_at_the_same_moment_make_no_call_twice_and_none_beside_another_of_its_customer() {
    let place = Place::start().await;
    let mut receivers = Vec::new();
    for customer in 0..3 {
        let receiver = Receiver::start(0).await;
        let email = format!("{customer}@example.com");
        place.told(&email, &receiver.url, 20).await;
        receivers.push(receiver);
    }
    let caller = async || {
        let webhooks = place.webhooks();
        while place.count(0, WAITING).await > 0 {
            call(&webhooks).await;
        }
    };
    tokio::join!(caller(), caller(), caller(), caller());
    for receiver in &receivers {
        let ids: HashSet<String> = receiver.calls().into_iter().map(|call| call.id).collect();
        assert_eq!(
            (receiver.calls().len(), ids.len(), receiver.most_at_once()),
            (20, 20, 1)
        );
    }
}

#[tokio::test]
async fn a_caller_that_dies_is_replaced_when_its_lease_ends() {
    let (place, receiver) = (Place::start().await, Receiver::start(0).await);
    let ada = place.told("ada@example.com", &receiver.tarpit(), 2).await;
    let mut calls = JoinSet::new();
    place.webhooks().call_due(&mut calls).await;
    calls.shutdown().await;
    assert!(webhook::set(&place.pools, ada, &receiver.url, SECRET).await.unwrap());
    call(&place.webhooks()).await;
    assert!(receiver.calls().is_empty(), "the lease is not over");
    place
        .execute(0, "update user_webhook_deliveries set due_at = now()")
        .await;
    for _ in 0..2 {
        call(&place.webhooks()).await;
    }
    let again = "select count(*) from user_webhook_deliveries where state = 'delivered' and attempts = 2";
    assert_eq!((place.count(0, DELIVERED).await, place.count(0, again).await), (2, 1));
}

/// A program of the version before calls by itself what it writes.
#[tokio::test]
async fn what_the_version_before_has_written_is_only_taken_over_later() {
    let (place, receiver) = (Place::start().await, Receiver::start(0).await);
    place.told("ada@example.com", &receiver.url, 0).await;
    let written = "insert into user_webhook_deliveries (event_id, user_id, kind, body) \
         select gen_random_uuid(), user_id, 'order.shipped', '{}' from user_webhooks";
    place.execute(0, written).await;
    call(&place.webhooks()).await;
    assert!(receiver.calls().is_empty());
    place.execute(0, DUE).await;
    call(&place.webhooks()).await;
    assert_eq!((receiver.calls().len(), place.count(0, DELIVERED).await), (1, 1));
}

#[tokio::test]
async fn what_waits_goes_with_its_webhook() {
    let (place, receiver) = (Place::start().await, Receiver::start(0).await);
    let ada = place.told("ada@example.com", &receiver.url, 3).await;
    call(&place.webhooks()).await;
    assert!(webhook::remove(&place.pools, ada).await.unwrap());
    assert_eq!((place.count(0, WAITING).await, place.count(0, DELIVERED).await), (0, 1));
}
