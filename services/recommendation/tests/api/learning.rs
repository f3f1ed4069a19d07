//! Learning from confirmed orders: what is recommended, and that neither order nor repetition of events matters.

use crate::shop::{Shop, message, order, product};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_contract::event::ORDER_CONFIRMED;
use shop_kit_events::{Handler, Message};
use shop_recommendation::job::analyse::Analyse;
use shop_recommendation::job::learn::{Learn, Touched};
use shop_recommendation::job::sweep;
use uuid::Uuid;

async fn learn(shop: &Shop, messages: &[Message]) {
    let learn = Learn {
        pool: shop.pool.clone(),
        touched: Touched::default(),
    };
    learn.handle(messages).await.unwrap();
}

fn bought(products: &[u128]) -> Message {
    order(ORDER_CONFIRMED, Uuid::now_v7(), Uuid::now_v7(), products)
}

/// The n of each product, with the reason.
fn shown(body: &Value) -> Vec<(u128, String)> {
    let items = body["items"].as_array().unwrap();
    let first = product(0).as_u128();
    let item = |item: &Value| {
        let id: Uuid = item["product_id"].as_str().unwrap().parse().unwrap();
        (id.as_u128() - first, item["reason"].as_str().unwrap().to_owned())
    };
    items.iter().map(item).collect()
}

async fn together(shop: &Shop, n: u128) -> Vec<(u128, String)> {
    let path = format!("/api/v1/recommendations/bought-together/{}?limit=3", product(n));
    let (status, body) = shop.get(&path, None).await;
    assert_eq!(status, 200, "{body}");
    shown(&body)
}

const NEAR: &str = "bought_together";
const BEST: &str = "best_seller";

#[tokio::test]
async fn what_is_bought_together_is_recommended_together() {
    let shop = Shop::start().await;
    // 1 and 2 go together; 9 is in every order, so it says little about any of them.
    let mut orders: Vec<Message> = (0..6).map(|_| bought(&[1, 2, 9])).collect();
    orders.extend((0..6).map(|_| bought(&[3, 9])));
    orders.extend((0..20).map(|_| bought(&[9])));
    orders.push(bought(&[1, 4]));
    learn(&shop, &orders).await;
    let near = |n| (n, NEAR.to_owned());
    assert_eq!(together(&shop, 1).await, [near(2), near(9), near(4)]);
    assert_eq!(together(&shop, 2).await[0], near(1));
    // 3 has one neighbour; best sellers fill up, without 3 itself.
    let third = together(&shop, 3).await;
    assert_eq!((third[0].clone(), third.len()), (near(9), 3));
    assert!(
        third[1..].iter().all(|(n, reason)| *n != 3 && reason == BEST),
        "{third:?}"
    );
}

#[tokio::test]
async fn customers_are_recommended_what_goes_with_what_they_bought() {
    let shop = Shop::start().await;
    let (ann, new) = (Uuid::now_v7(), Uuid::now_v7());
    let mut orders: Vec<Message> = (0..3).map(|_| bought(&[1, 2])).collect();
    orders.extend((0..3).map(|_| bought(&[1, 3])));
    orders.extend((0..9).map(|_| bought(&[7])));
    orders.push(order(ORDER_CONFIRMED, Uuid::now_v7(), ann, &[1]));
    orders.push(order(ORDER_CONFIRMED, Uuid::now_v7(), ann, &[3]));
    learn(&shop, &orders).await;
    let path = "/api/v1/recommendations/for-you?limit=5";
    let (status, body) = shop.get(path, Some((ann, Role::Customer))).await;
    assert_eq!(status, 200, "{body}");
    // Never what she has.
    assert_eq!(shown(&body), [(2, NEAR.to_owned()), (7, BEST.to_owned())]);
    let (_, body) = shop.get(path, Some((new, Role::Customer))).await;
    assert_eq!(shown(&body)[0], (7, BEST.to_owned()));
}

#[tokio::test]
async fn what_is_not_on_sale_any_more_is_not_recommended() {
    let shop = Shop::start().await;
    let ann = Uuid::now_v7();
    let mut orders: Vec<Message> = (0..6).map(|_| bought(&[1, 2, 3])).collect();
    orders.push(order(ORDER_CONFIRMED, Uuid::now_v7(), ann, &[1]));
    learn(&shop, &orders).await;
    let named = async |path: &str| {
        let (status, body) = shop.get(path, Some((ann, Role::Customer))).await;
        assert_eq!(status, 200, "{path}: {body}");
        shown(&body).into_iter().map(|(n, _)| n).collect::<Vec<u128>>()
    };
    let near = format!("/api/v1/recommendations/bought-together/{}", product(1));
    let (mine, best) = (
        "/api/v1/recommendations/for-you",
        "/api/v1/recommendations/best-sellers",
    );
    assert_eq!((named(&near).await, named(mine).await), (vec![2, 3], vec![2, 3]));
    assert_eq!(named(best).await, [1, 2, 3]);
    // The first stays in the table and is taken off the shelf, the second is gone altogether.
    for (statement, n) in [
        ("update products set listed = false where id = $1", 2),
        ("delete from products where id = $1", 1),
    ] {
        let done = sqlx::query(statement)
            .bind(product(n))
            .execute(shop.pool.executor())
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }
    assert_eq!(
        (named(&near).await, named(mine).await, named(best).await),
        (vec![3], vec![3], vec![3])
    );
}

#[tokio::test]
async fn nothing_learnt_and_nothing_reachable_are_empty_lists() {
    let shop = Shop::start().await;
    let ask = async || {
        let near = format!("/api/v1/recommendations/bought-together/{}", product(1));
        for path in [
            near.as_str(),
            "/api/v1/recommendations/for-you",
            "/api/v1/recommendations/best-sellers",
        ] {
            let (status, body) = shop.get(path, Some((Uuid::now_v7(), Role::Customer))).await;
            assert_eq!((status, body), (200, json!({"items": []})), "{path}");
        }
    };
    ask().await;
    shop.pool.close().await;
    ask().await;
}

#[tokio::test]
async fn best_sellers_outlive_their_database() {
    let shop = Shop::start().await;
    learn(&shop, &[bought(&[1]), bought(&[1, 2])]).await;
    let path = "/api/v1/recommendations/best-sellers";
    let before = shop.get(path, None).await;
    assert_eq!(shown(&before.1), [(1, BEST.to_owned()), (2, BEST.to_owned())]);
    shop.pool.close().await;
    assert_eq!(shop.get(path, None).await, before);
}

#[tokio::test]
async fn the_order_and_the_repetition_of_events_teach_nothing() {
    let users: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let mut orders = Vec::new();
    for n in 0..40_u128 {
        let (user, products) = (users[n as usize % 3], [n % 5, (n * 7) % 11, 20 + n % 3]);
        let at = format!("2026-11-{:02}T10:00:00Z", 1 + n % 20);
        let lines: Vec<Value> = products
            .iter()
            .map(|n| json!({"product_id": product(*n), "quantity": 2, "price_cents": 5}))
            .collect();
        orders.push(message(
            ORDER_CONFIRMED,
            json!({"user_id": user, "lines": lines, "placed_at": at, "at": at}),
        ));
    }
    let (one, two) = (Shop::start().await, Shop::start().await);
    for batch in orders.chunks(40) {
        learn(&one, batch).await;
        Analyse { pool: one.pool.clone() }.handle(batch).await.unwrap();
    }
    // Backwards, in other batches, each thrice: in its own batch, again later, and again under another event.
    for batch in orders.rchunks(7) {
        let mut batch: Vec<Message> = batch.iter().rev().cloned().collect();
        batch.extend(batch.clone());
        let other = batch.iter().map(retold).collect::<Vec<_>>();
        for batch in [&batch, &batch, &other] {
            learn(&two, batch).await;
            Analyse { pool: two.pool.clone() }.handle(batch).await.unwrap();
        }
    }
    let (learnt, again) = (one.learnt().await, two.learnt().await);
    assert!(learnt.len() > 50, "{learnt:?}");
    for (left, right) in learnt.iter().zip(&again) {
        assert_eq!(left, right);
    }
    assert_eq!(learnt.len(), again.len());
}

/// The same fact, told by an event with another id.
fn retold(message: &Message) -> Message {
    let mut event: Value = serde_json::from_slice(&message.payload).unwrap();
    let id = Uuid::now_v7();
    event["event_id"] = json!(id);
    Message {
        id,
        payload: event.to_string().into_bytes(),
        ..message.clone()
    }
}

/// Workers side by side on the same rows: nothing is lost and nobody deadlocks.
#[tokio::test]
async fn workers_side_by_side_count_every_order() {
    let shop = Shop::start().await;
    let orders: Vec<Message> = (0..120_u128).map(|n| bought(&[n % 4, 4 + n % 3, 9])).collect();
    let mut workers = tokio::task::JoinSet::new();
    for batch in orders.chunks(10) {
        let (pool, batch) = (shop.pool.clone(), batch.to_vec());
        let touched = Touched::default();
        workers.spawn(async move { Learn { pool, touched }.handle(&batch).await });
    }
    while let Some(handled) = workers.join_next().await {
        handled.unwrap().unwrap();
    }
    let orders: i64 = sqlx::query_scalar("select orders from recommendation_items where product_id = $1")
        .bind(product(9))
        .fetch_one(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(orders, 120);
}

#[tokio::test]
async fn synthetic_orders_teach_nothing() {
    let shop = Shop::start().await;
    let lines = json!([{"product_id": product(1), "quantity": 1, "price_cents": 5}]);
    let synthetic = message(ORDER_CONFIRMED, json!({"lines": lines, "synthetic": true}));
    learn(&shop, std::slice::from_ref(&synthetic)).await;
    Analyse {
        pool: shop.pool.clone(),
    }
    .handle(&[synthetic])
    .await
    .unwrap();
    assert!(shop.learnt().await.is_empty());
}

#[tokio::test]
async fn a_crowded_product_keeps_its_closest_neighbours() {
    let shop = Shop::start().await;
    sqlx::query(
        "insert into recommendation_pairs select $1, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n \
         from generate_series(1, 500) n",
    )
    .bind(product(1))
    .execute(shop.pool.executor())
    .await
    .unwrap();
    sweep::once(&shop.pool, &[product(1), product(2)]).await.unwrap();
    let (count, least): (i64, i64) = sqlx::query_as("select count(*), min(orders) from recommendation_pairs")
        .fetch_one(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!((count, least), (200, 301));
    sweep::once(&shop.pool, &[product(1)]).await.unwrap();
}
