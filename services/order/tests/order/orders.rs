//! Orders as their customer sees them.

use crate::shop::{KEY, Shop, bearer, call, eventually, face, line, of, place, post, synthetic};
use crate::stage::{KETTLE, LAMP, Mood};
use serde_json::json;
use shop_contract::api::Role;
use shop_contract::probe::SYNTHETIC_PRODUCT;
use std::time::{Duration, Instant};
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
        let event = "select payload from outbox where kind = 'order.placed' and published_at is null";
        let event: String = sqlx::query_scalar(event)
            .fetch_one(shop.pool(shard).executor())
            .await
            .unwrap();
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        assert_eq!(
            (&event["order_id"], &event["payment_token"]),
            (&body["id"], &json!("tok_ok"))
        );
        assert_eq!((&event["lines"], &event["at"]), (&body["lines"], &body["created_at"]));
        let path = placed.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(shop.get(user, &path).await.body, placed.body);
        assert_eq!(shop.stage.acts().held[&placed.id()].len(), 2);
    }
}

#[tokio::test]
async fn a_customer_sees_own_orders_only_newest_first() {
    let shop = Shop::start().await;
    let (mine, neighbour) = (shop.two.user_in(0), shop.two.user_in(0));
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.order(mine).await.to_string());
    }
    let theirs = shop.order(neighbour).await;
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
    for unknown in [theirs.to_string(), Uuid::now_v7().to_string(), "seven".to_owned()] {
        for path in [
            format!("/api/v1/orders/{unknown}"),
            format!("/api/v1/orders/{unknown}/history"),
        ] {
            assert_eq!(shop.get(mine, &path).await.status, 404, "{path}");
        }
    }
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=x",
        "page=1",
        "status=lost",
        "user_id=x",
    ] {
        assert_eq!(
            shop.get(mine, &format!("/api/v1/orders?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn orders_are_listed_by_status() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let (kept, gone) = (shop.order(user).await, shop.order(user).await);
    let cancel = format!("/api/v1/orders/{gone}/cancel");
    let token = bearer(user, Role::Customer);
    assert_eq!(call(&shop.app, "POST", &cancel, &token, &[], None).await.status, 200);
    for (status, id) in [("placed", Some(kept)), ("cancelled", Some(gone)), ("shipped", None)] {
        let page = shop.get(user, &format!("/api/v1/orders?status={status}")).await;
        let ids: Vec<&str> = page.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_str().unwrap())
            .collect();
        assert_eq!(
            ids,
            id.map(|id| id.to_string())
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_new_price_is_charged_within_its_second() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let price = async || shop.place(user, json!([line(KETTLE, 1)])).await.body["total_cents"].as_i64();
    assert_eq!(price().await, Some(250));
    shop.stage.acts().prices.insert(KETTLE, (300, "EUR"));
    let changed = Instant::now();
    let paid = eventually(async || {
        let late = changed.elapsed() > Duration::from_secs(1);
        match price().await {
            Some(300) => Ok(()),
            Some(250) if !late => Err(()),
            other => panic!("{other:?}, asked more than a second after the change: {late}"),
        }
    });
    paid.await.unwrap();
}

#[tokio::test]
async fn a_synthetic_order_needs_customer_and_key_takes_no_stock_and_is_swept() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let body = of(json!([line(SYNTHETIC_PRODUCT, 1)]));
    let with_key = [("x-shop-synthetic", KEY)];
    let wrong_key = [("x-shop-synthetic", "wrong")];
    let real = bearer(user, Role::Customer);
    assert_eq!(post(&shop.app, &synthetic(user), &[], &body).await.status, 403);
    assert_eq!(post(&shop.app, &synthetic(user), &wrong_key, &body).await.status, 403);
    assert_eq!(post(&shop.app, &real, &with_key, &body).await.status, 403);
    let placed = post(&shop.app, &synthetic(user), &with_key, &body).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    assert!(shop.stage.acts().asked.is_empty());
    shop.order(user).await;

    let shard = shop.pools.get(0).unwrap();
    assert_eq!(shop_order::store::order::sweep(&shard).await.unwrap(), 0);
    shop.run(0, "update orders set created_at = now() - interval '11 minutes'")
        .await;
    shop.run(
        0,
        "insert into order_history select id, 'confirmed', null, 'payment', null, now() from orders",
    )
    .await;
    assert_eq!(shop_order::store::order::sweep(&shard).await.unwrap(), 1);
    assert_eq!(shop.count(0, "select count(*) from orders where synthetic").await, 0);
    for table in [
        "select count(*) from orders",
        "select count(*) from order_lines",
        "select count(*) from order_history",
    ] {
        assert_eq!(shop.count(0, table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn the_tier_that_failed_is_named_and_nothing_is_left_behind() {
    let shop = Shop::start().await;
    let (user, there) = (shop.two.user_in(0), shop.two.user_in(1));
    let lines = json!([line(KETTLE, 1)]);
    let nobody = "http://127.0.0.1:1";
    let placed = async |product: &str, inventory: &str| {
        let app = face(shop.state(shop.pools.clone(), product, inventory));
        place(&app, user, &[("idempotency-key", "k")], lines.clone()).await
    };
    let answer = placed(nobody, &shop.stage.url).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("service/product")),
        "{answer:?}"
    );
    let answer = placed(&shop.stage.url, nobody).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("service/inventory")),
        "{answer:?}"
    );
    for (mood, tier) in [(Mood::Broken, "postgres/catalog"), (Mood::Raving, "service/product")] {
        shop.stage.acts().catalogue = mood;
        let answer = placed(&shop.stage.url, &shop.stage.url).await;
        assert_eq!((answer.status, &answer.body["tier"]), (503, &json!(tier)), "{answer:?}");
    }
    shop.stage.acts().catalogue = Mood::Open;
    shop.stage.inventory(Mood::Broken);
    let answer = placed(&shop.stage.url, &shop.stage.url).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/catalog")),
        "{answer:?}"
    );
    shop.stage.inventory(Mood::Open);

    let without = face(shop.state(
        shop.two.open_without(1).await.unwrap(),
        &shop.stage.url,
        &shop.stage.url,
    ));
    let answer = place(&without, there, &[], lines.clone()).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{answer:?}"
    );
    let held = eventually(async || {
        if shop.stage.acts().held.is_empty() {
            Ok(())
        } else {
            Err(())
        }
    });
    held.await
        .expect("the reservation of an order that was not written is let go");
    for table in [
        "select count(*) from orders",
        "select count(*) from outbox",
        "select count(*) from order_idempotency",
    ] {
        assert_eq!(
            (shop.count(0, table).await, shop.count(1, table).await),
            (0, 0),
            "{table}"
        );
    }
    assert_eq!(
        place(&without, user, &[("idempotency-key", "k")], lines).await.status,
        201
    );
}
