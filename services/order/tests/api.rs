//! What a customer sees of the order service, over two real shards and without RabbitMQ.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use serde_json::{Value, json};
use shop::{FOREIGN, KETTLE, KEY, LAMP, Shop, UNKNOWN, UNREADABLE, bearer, line, place, post};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use uuid::Uuid;

#[tokio::test]
async fn an_order_lies_in_its_customers_shard_with_its_event() {
    let shop = Shop::start().await;
    for shard in [0, 1] {
        let user = shop.two.user_in(shard);
        let placed = shop.place(user, json!([line(KETTLE, 2), line(LAMP, 1)])).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        let body = &placed.body;
        assert_eq!(
            (&body["total_cents"], &body["currency"]),
            (&json!(1_500), &json!("EUR"))
        );
        assert_eq!((&body["shard"], &body["status"]), (&json!(shard), &json!("placed")));
        assert_eq!(
            body["lines"][1],
            json!({"product_id": LAMP, "quantity": 1, "price_cents": 1_000})
        );
        assert_eq!(shop.count(shard, "select count(*) from orders").await, 1);
        assert_eq!(
            shop.count(shard, "select count(*) from outbox where published_at is null")
                .await,
            1
        );
        let path = placed.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(shop.get(user, &path).await.body, placed.body);
    }
}

#[tokio::test]
async fn a_customer_sees_own_orders_only_newest_first() {
    let shop = Shop::start().await;
    let (mine, neighbour) = (shop.two.user_in(0), shop.two.user_in(0));
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(
            shop.place(mine, json!([line(KETTLE, 1)])).await.body["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let theirs = shop.place(neighbour, json!([line(KETTLE, 1)])).await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut seen, mut path) = (Vec::new(), "/api/v1/orders?limit=2".to_owned());
    loop {
        let page = shop.get(mine, &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/orders?limit=2&cursor={cursor}");
    }
    placed.reverse();
    assert_eq!(seen, placed);
    assert_eq!(shop.get(mine, &format!("/api/v1/orders/{theirs}")).await.status, 404);
    assert_eq!(
        shop.get(mine, &format!("/api/v1/orders/{}", Uuid::now_v7()))
            .await
            .status,
        404
    );
    assert_eq!(shop.get(mine, "/api/v1/orders/seven").await.status, 404);
    for path in [
        "/api/v1/orders?limit=0",
        "/api/v1/orders?limit=101",
        "/api/v1/orders?cursor=x",
        "/api/v1/orders?page=1",
    ] {
        assert_eq!(shop.get(mine, path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_key_places_one_order_however_often_it_comes() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let headers = [("idempotency-key", "cart-7")];
    let asked = (0..5).map(|_| place(&shop.app, user, &headers, json!([line(KETTLE, 1)])));
    let answers = futures::future::join_all(asked).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body), "{answer:?}");
    }
    assert_eq!(shop.count(1, "select count(*) from orders").await, 1);
    assert_eq!(shop.count(1, "select count(*) from outbox").await, 1);

    let again = place(&shop.without_catalogue(), user, &headers, json!([line(KETTLE, 1)])).await;
    assert_eq!(
        (again.status, &again.headers["idempotency-replayed"]),
        (201, &"true".parse().unwrap())
    );
    let other = place(&shop.app, user, &headers, json!([line(KETTLE, 2)])).await;
    assert_eq!(
        (other.status, &other.body["type"]),
        (422, &json!("urn:shop:problem:idempotency-key-reused"))
    );
    let neighbour = place(&shop.app, shop.two.user_in(1), &headers, json!([line(KETTLE, 2)])).await;
    assert_eq!(neighbour.status, 201);
    for key in ["", &"k".repeat(256), "é"] {
        let answer = place(&shop.app, user, &[("idempotency-key", key)], json!([line(KETTLE, 1)])).await;
        assert_eq!(answer.status, 400, "{key:?}");
    }
}

#[tokio::test]
async fn bad_input_names_every_field() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let many: Vec<Value> = (0..51).map(|n| line(Uuid::from_u128(100 + n), 1)).collect();
    let table = [
        (json!({"lines": []}), vec!["/lines"]),
        (json!({"lines": many}), vec!["/lines"]),
        (
            json!({"lines": [line(KETTLE, 0), line(LAMP, 100)]}),
            vec!["/lines/0/quantity", "/lines/1/quantity"],
        ),
        (
            json!({"lines": [line(KETTLE, 1), line(KETTLE, 1)]}),
            vec!["/lines/1/product_id"],
        ),
        (
            json!({"lines": [line(KETTLE, 1), line(UNKNOWN, 1)]}),
            vec!["/lines/1/product_id"],
        ),
        (
            json!({"lines": [line(KETTLE, 1), line(FOREIGN, 1)]}),
            vec!["/lines/1/product_id"],
        ),
        (
            json!({"lines": [line(SYNTHETIC_PRODUCT, 1)]}),
            vec!["/lines/0/product_id"],
        ),
        (
            json!({"lines": [{"product_id": "seven", "quantity": 1}]}),
            vec!["/lines/0/product_id"],
        ),
        (
            json!({"lines": [{"product_id": KETTLE, "quantity": -1}]}),
            vec!["/lines/0/quantity"],
        ),
        (
            json!({"lines": [{"product_id": KETTLE, "quantity": 1.5}]}),
            vec!["/lines/0/quantity"],
        ),
        (json!({"lines": [{"product_id": KETTLE}]}), vec!["/lines/0"]),
        (json!({"lines": [line(KETTLE, 1)], "total": 1}), vec!["/total"]),
        (json!({}), vec![""]),
    ];
    for (body, pointers) in table {
        let answer = post(&shop.app, &bearer(user, false), &[], &body).await;
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let got: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!((answer.status, got), (422, pointers), "{body}: {answer:?}");
    }
    assert_eq!(shop.count(0, "select count(*) from orders").await, 0);
}

#[tokio::test]
async fn nobody_orders_without_a_token() {
    let shop = Shop::start().await;
    for token in ["", "Basic eDp5", "Bearer x", "Bearer eyJhbGciOiJub25lIn0.e30."] {
        let answer = post(&shop.app, token, &[], &json!({"lines": [line(KETTLE, 1)]})).await;
        assert_eq!(
            (answer.status, &answer.headers["www-authenticate"]),
            (401, &"Bearer".parse().unwrap()),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_synthetic_order_needs_customer_and_key_and_is_swept() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let body = json!({"lines": [line(SYNTHETIC_PRODUCT, 1)]});
    let with_key = [("x-shop-synthetic", KEY)];
    assert_eq!(post(&shop.app, &bearer(user, true), &[], &body).await.status, 403);
    assert_eq!(
        post(&shop.app, &bearer(user, true), &[("x-shop-synthetic", "wrong")], &body)
            .await
            .status,
        403
    );
    assert_eq!(
        post(&shop.app, &bearer(user, false), &with_key, &body).await.status,
        403
    );
    let placed = post(&shop.app, &bearer(user, true), &with_key, &body).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    let real = shop.place(user, json!([line(KETTLE, 1)])).await;
    assert_eq!(real.status, 201);

    let shard = shop.pools.get(0).unwrap();
    assert_eq!(shop_order::store::order::sweep(&shard).await.unwrap(), 0);
    sqlx::query("update orders set created_at = now() - interval '11 minutes'")
        .execute(shard.pool.executor())
        .await
        .unwrap();
    assert_eq!(shop_order::store::order::sweep(&shard).await.unwrap(), 1);
    assert_eq!(shop.count(0, "select count(*) from orders where synthetic").await, 0);
    assert_eq!(shop.count(0, "select count(*) from orders").await, 1);
    assert_eq!(shop.count(0, "select count(*) from order_lines").await, 1);
}

#[tokio::test]
async fn the_tier_that_failed_is_named() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let lines = json!([line(KETTLE, 1)]);
    let answer = place(&shop.without_catalogue(), user, &[], lines.clone()).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("service/product")),
        "{answer:?}"
    );
    let answer = shop.place(user, json!([line(UNREADABLE, 1)])).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/catalog")),
        "{answer:?}"
    );

    let app = shop.without(1).await;
    let answer = place(&app, shop.two.user_in(1), &[], lines.clone()).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{answer:?}"
    );
    assert_eq!(place(&app, user, &[], lines).await.status, 201);
}
