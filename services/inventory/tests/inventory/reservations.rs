//! What the order service sees of reservations.

use crate::books::check;
use crate::shop::{Shop, authorized, order};
use serde_json::json;
use shop_inventory::job::sweep::expire;
use shop_inventory::settle::{Answer, Ask};
use shop_inventory::store::reserve::reserve;
use shop_inventory::store::settlement::settle_alone;
use std::time::Duration;
use uuid::Uuid;

const HOLD: Duration = Duration::from_secs(900);

#[tokio::test]
async fn the_same_order_again_is_the_same_reservation() {
    let shop = Shop::start().await;
    let (lamp, kettle) = (shop.product(10, 2).await, shop.product(3, 1).await);
    let id = Uuid::now_v7();
    let lines = [(lamp, 2), (kettle, 3)];
    let first = shop.reserve(id, &lines).await;
    assert_eq!((first.status, &first.body["order_id"]), (201, &json!(id)), "{first:?}");
    let again = shop.reserve(id, &[(kettle, 3), (lamp, 2)]).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = shop.reserve(id, &[(lamp, 1)]).await;
    assert_eq!(
        (other.status, &other.body["type"]),
        (409, &json!("urn:shop:problem:reservation-differs"))
    );
    assert_eq!((shop.level(lamp).await, shop.level(kettle).await), ((10, 2), (3, 3)));
    check(&shop.pool).await;
}

#[tokio::test]
async fn every_line_that_is_short_is_named_and_nothing_is_held() {
    let shop = Shop::start().await;
    let (lamp, kettle) = (shop.product(10, 1).await, shop.product(3, 1).await);
    let short = shop
        .reserve(Uuid::now_v7(), &[(kettle, 4), (lamp, 1), (Uuid::now_v7(), 1)])
        .await;
    assert_eq!(
        (short.status, &short.body["type"]),
        (409, &json!("urn:shop:problem:out-of-stock")),
        "{short:?}"
    );
    let pointers: Vec<&str> = short.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/lines/0", "/lines/2"]);
    assert_eq!(shop.level(lamp).await, (10, 0));
    check(&shop.pool).await;
}

#[tokio::test]
async fn bad_reservations_are_refused_by_field() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(10, 1).await, Uuid::now_v7());
    let many: Vec<(Uuid, i32)> = (0..51).map(|_| (Uuid::now_v7(), 1)).collect();
    for (lines, pointer) in [
        (vec![], "/lines"),
        (many, "/lines"),
        (vec![(product, 0)], "/lines/0/quantity"),
        (vec![(product, 10_001)], "/lines/0/quantity"),
        (vec![(product, 1), (product, 1)], "/lines/1/product_id"),
        (vec![(product, -1)], "/lines/0/quantity"),
    ] {
        let refused = shop.reserve(id, &lines).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{refused:?}"
        );
    }
    assert_eq!(shop.release(Uuid::nil()).await.status, 204);
    assert_eq!(
        shop.count("select count(*) from inventory_reservations where state = 'reserved'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_released_order_gives_back_and_cannot_reserve_again() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    assert_eq!(shop.reserve(id, &[(product, 5)]).await.status, 201);
    for _ in 0..2 {
        assert_eq!(shop.release(id).await.status, 204);
        assert_eq!(shop.level(product).await, (5, 0));
    }
    let again = shop.reserve(id, &[(product, 5)]).await;
    assert_eq!(
        (again.status, &again.body["type"]),
        (409, &json!("urn:shop:problem:reservation-ended"))
    );
    check(&shop.pool).await;
}

#[tokio::test]
async fn a_release_that_comes_first_leaves_a_tombstone() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    assert_eq!(shop.release(id).await.status, 204);
    assert_eq!(shop.reserve(id, &[(product, 5)]).await.status, 409);
    assert_eq!(
        (shop.state_of(id).await.as_deref(), shop.level(product).await),
        (Some("tombstone"), (5, 0))
    );
}

#[tokio::test]
async fn what_was_sold_is_not_released() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    let lines = [(product, 2)];
    assert_eq!(shop.reserve(id, &lines).await.status, 201);
    shop.hear(&[authorized(id, &lines, false)]).await;
    assert_eq!(shop.release(id).await.status, 409);
    assert_eq!(shop.level(product).await, (3, 0));
    check(&shop.pool).await;
}

#[tokio::test]
async fn an_order_gathers_from_several_slots_before_it_is_short() {
    let shop = Shop::start().await;
    let product = shop.product(12, 4).await;
    let desk = shop.another_desk();
    let answer = desk.reserve(order(Uuid::now_v7(), &[(product, 11)])).await.unwrap();
    let Answer::Held(row) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((row.takes.len(), row.expires_at.is_empty()), (4, false));
    assert_eq!(shop.level(product).await, (12, 11));
    let answer = desk.reserve(order(Uuid::now_v7(), &[(product, 2)])).await.unwrap();
    assert_eq!(answer, Answer::Short(vec![0]));
    check(&shop.pool).await;
}

/// Somebody else holds the only slot: the fast way does not wait and writes nothing, the sure way waits and gets it.
#[tokio::test]
async fn the_fast_way_never_waits_for_a_slot() {
    let shop = Shop::start().await;
    let (product, free) = (shop.product(5, 1).await, shop.product(5, 1).await);
    let mut holder = shop.pool.begin().await.unwrap();
    sqlx::query("select from stock_slots where product_id = $1 for update")
        .bind(product)
        .fetch_all(&mut *holder)
        .await
        .unwrap();
    let (stuck, other) = (
        order(Uuid::now_v7(), &[(free, 1), (product, 1)]),
        order(Uuid::now_v7(), &[(free, 1)]),
    );
    let answers = reserve(&shop.pool, &[&stuck, &other], HOLD).await.unwrap();
    assert!(
        answers[0].is_none() && matches!(answers[1], Some(Answer::Held(_))),
        "{answers:?}"
    );
    assert_eq!((shop.state_of(stuck.id).await, shop.level(free).await), (None, (5, 1)));
    let asks = [Ask::Reserve {
        order: stuck.id,
        lines: stuck.lines.clone(),
    }];
    let waits = settle_alone(&shop.pool, &asks, HOLD);
    let (answers, ()) = tokio::join!(waits, async { holder.rollback().await.unwrap() });
    assert!(matches!(answers.unwrap()[0], Answer::Held(_)));
    check(&shop.pool).await;
}

#[tokio::test]
async fn what_nobody_paid_for_goes_back_on_sale_whoever_sweeps() {
    let shop = Shop::start().await;
    let product = shop.product(130, 4).await;
    let mut orders = Vec::new();
    for _ in 0..120 {
        let id = Uuid::now_v7();
        assert_eq!(shop.reserve(id, &[(product, 1)]).await.status, 201);
        orders.push(id);
    }
    for id in &orders[..110] {
        shop.make_overdue(*id).await;
    }
    let (left, right) = tokio::join!(expire(&shop.pool), expire(&shop.pool));
    assert_eq!(left.unwrap() + right.unwrap(), 110);
    assert_eq!(shop.level(product).await, (130, 10));
    assert_eq!(shop.state_of(orders[0]).await.as_deref(), Some("expired"));
    assert_eq!(shop.state_of(orders[119]).await.as_deref(), Some("reserved"));
    check(&shop.pool).await;
}
