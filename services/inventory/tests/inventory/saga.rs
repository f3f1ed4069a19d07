//! Events of the saga in any order and more than once, as the worker handles them.

use crate::books::check;
use crate::shop::{Shop, authorized, cancelled};
use shop_inventory::job::sweep::expire;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn a_paid_order_is_sold_what_it_holds_once() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    let lines = [(product, 2)];
    shop.reserve(id, &lines).await;
    let event = authorized(id, &lines, false);
    shop.hear(&[event.clone(), event.clone()]).await;
    shop.hear(std::slice::from_ref(&event)).await;
    // Told anew, as the keeper of the books does.
    shop.hear(&[authorized(id, &lines, false)]).await;
    assert_eq!(
        (shop.level(product).await, shop.told(id).await),
        ((3, 0), vec!["stock.claimed".to_owned()])
    );
    check(&shop.pool).await;
}

#[tokio::test]
async fn payment_after_the_hold_takes_anew_or_is_rejected() {
    let shop = Shop::start().await;
    let product = shop.product(10, 2).await;
    let (lucky, late) = (Uuid::now_v7(), Uuid::now_v7());
    let lines = [(product, 6)];
    shop.reserve(lucky, &lines).await;
    shop.make_overdue(lucky).await;
    assert_eq!(expire(&shop.pool).await.unwrap(), 1);
    shop.reserve(late, &lines).await;
    shop.make_overdue(late).await;
    assert_eq!(expire(&shop.pool).await.unwrap(), 1);
    shop.hear(&[authorized(lucky, &lines, false), authorized(late, &lines, false)])
        .await;
    assert_eq!(shop.told(lucky).await, ["stock.claimed"]);
    assert_eq!(shop.told(late).await, ["stock.rejected"]);
    assert_eq!(
        (shop.level(product).await, shop.state_of(late).await.as_deref()),
        ((4, 0), Some("rejected"))
    );
    shop.hear(&[authorized(late, &lines, false), cancelled(late, &lines)])
        .await;
    assert_eq!((shop.told(late).await.len(), shop.level(product).await), (1, (4, 0)));
    check(&shop.pool).await;
}

#[tokio::test]
async fn payment_of_an_order_that_never_reserved_takes_anew() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(3, 1).await, Uuid::now_v7());
    let lines = [(product, 3)];
    shop.hear(&[authorized(id, &lines, false)]).await;
    assert_eq!(
        (shop.level(product).await, shop.told(id).await),
        ((0, 0), vec!["stock.claimed".to_owned()])
    );
    check(&shop.pool).await;
}

#[tokio::test]
async fn a_cancelled_order_gives_back_what_it_was_sold() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 2).await, Uuid::now_v7());
    let lines = [(product, 2)];
    shop.reserve(id, &lines).await;
    shop.hear(&[authorized(id, &lines, false)]).await;
    shop.hear(&[cancelled(id, &lines), cancelled(id, &lines)]).await;
    assert_eq!(
        (shop.level(product).await, shop.state_of(id).await.as_deref()),
        ((5, 0), Some("released"))
    );
    check(&shop.pool).await;
}

/// Whatever came before and however often: a cancelled order ends with nothing, and reserves nothing afterwards.
#[tokio::test]
async fn after_a_cancellation_nothing_is_held_in_any_order_of_events() {
    let shop = Shop::start().await;
    for plan in [
        "cpr", "crp", "pcr", "prc", "rcp", "rpc", "rxcp", "rxpc", "rcxp", "ccpp", "ppcc", "rpcp", "rpcc", "crcp",
        "dpc", "rdpc", "rcdp", "cdp", "rxdpc",
    ] {
        let (product, id) = (shop.product(4, 1).await, Uuid::now_v7());
        let lines = [(product, 3)];
        for step in plan.chars() {
            match step {
                'r' => drop(shop.reserve(id, &lines).await),
                'p' => shop.hear(&[authorized(id, &lines, false)]).await,
                'c' => shop.hear(&[cancelled(id, &lines)]).await,
                'd' => drop(shop.release(id).await),
                _ => {
                    shop.make_overdue(id).await;
                    expire(&shop.pool).await.unwrap();
                }
            }
        }
        let state = shop.state_of(id).await.unwrap();
        assert!(["released", "tombstone"].contains(&state.as_str()), "{plan}: {state}");
        assert_eq!(shop.level(product).await, (4, 0), "{plan}");
        assert_eq!(shop.reserve(id, &lines).await.status, 409, "{plan}");
    }
    check(&shop.pool).await;
}

#[tokio::test]
async fn a_payment_that_comes_after_the_cancellation_is_rejected() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(4, 1).await, Uuid::now_v7());
    let lines = [(product, 1)];
    shop.hear(&[cancelled(id, &lines), authorized(id, &lines, false)]).await;
    assert_eq!(
        (shop.told(id).await, shop.level(product).await),
        (vec!["stock.rejected".to_owned()], (4, 0))
    );
}

#[tokio::test]
async fn test_orders_are_claimed_at_once_and_touch_nothing() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(4, 1).await, Uuid::now_v7());
    shop.hear(&[authorized(id, &[(product, 2)], true)]).await;
    assert_eq!(
        (shop.told(id).await, shop.state_of(id).await),
        (vec!["stock.claimed".to_owned()], None)
    );
    assert_eq!(shop.level(product).await, (4, 0));
    assert_eq!(
        shop.count("select count(*) from inventory_outbox where payload::json ->> 'synthetic' = 'true'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_does_nothing() {
    use shop_inventory::job::follow::Follow;
    use shop_kit_events::{HandleError, Handler};
    let shop = Shop::start().await;
    let (product, id) = (shop.product(4, 1).await, Uuid::now_v7());
    let good = authorized(id, &[(product, 1)], false);
    let mut bad = good.clone();
    bad.payload = b"{}".to_vec();
    let follow = Follow {
        pool: shop.pool.clone(),
    };
    assert!(matches!(follow.handle(&[good, bad]).await, Err(HandleError::Poison(_))));
    assert_eq!(
        (
            shop.state_of(id).await,
            shop.count("select count(*) from inventory_inbox").await
        ),
        (None, 0)
    );
}

/// Two workers hear of the payment of an order without a row, and neither sees the other's: the second looks again.
#[tokio::test]
async fn a_payment_heard_by_two_workers_at_once_sells_once() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    let lines = [(product, 2)];
    let mut holder = shop.pool.begin().await.unwrap();
    sqlx::query("select from stock_slots where product_id = $1 for update")
        .bind(product)
        .fetch_all(&mut *holder)
        .await
        .unwrap();
    let both_wait = async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() \
                       and wait_event_type = 'Lock'";
        while shop.count(waiting).await < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        holder.rollback().await.unwrap();
    };
    let (left, right) = ([authorized(id, &lines, false)], [authorized(id, &lines, false)]);
    tokio::join!(shop.hear(&left), shop.hear(&right), both_wait);
    assert_eq!(
        (shop.level(product).await, shop.told(id).await),
        ((3, 0), vec!["stock.claimed".to_owned()])
    );
    check(&shop.pool).await;
}
