//! What those who send goods read.

use crate::saga::payment;
use crate::shop::{KEY, Shop, address, bearer, call, face, line, of, post, synthetic};
use crate::stage::KETTLE;
use serde_json::json;
use shop_contract::api::Role;
use shop_contract::event::PAYMENT_CAPTURED;
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_kit_events::Handler;
use uuid::Uuid;

const LIST: &str = "/api/v1/orders/shipping";

impl Shop {
    async fn as_merchant(&self, path: &str) -> crate::shop::Answer {
        call(
            &self.app,
            "GET",
            path,
            &bearer(Uuid::now_v7(), Role::Merchant),
            &[],
            None,
        )
        .await
    }

    /// Ids of all pages.
    async fn to_ship(&self, query: &str) -> Vec<Uuid> {
        let (mut ids, mut path) = (Vec::new(), format!("{LIST}?limit=2{query}"));
        loop {
            let page = self.as_merchant(&path).await;
            assert_eq!(page.status, 200, "{page:?}");
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= 2, "{page:?}");
            ids.extend(
                items
                    .iter()
                    .map(|order| order["id"].as_str().unwrap().parse::<Uuid>().unwrap()),
            );
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                return ids;
            };
            path = format!("{LIST}?limit=2{query}&cursor={cursor}");
        }
    }
}

#[tokio::test]
async fn a_merchant_reads_what_is_to_be_sent_of_all_shards_oldest_first() {
    let shop = Shop::start().await;
    let mut orders = Vec::new();
    // Not in turns: a page may come from one shard alone.
    for shard in [0, 0, 0, 1, 0, 1, 1] {
        orders.push(shop.confirmed_order(shop.two.user_in(shard)).await);
    }
    let placed = shop.order(shop.two.user_in(0)).await;
    assert_eq!(shop.to_ship("").await, orders);
    assert_eq!(shop.to_ship("&status=confirmed").await, orders);
    let sent = orders.remove(4);
    let path = format!("/api/v1/orders/{sent}/ship");
    let shipped = call(
        &shop.app,
        "POST",
        &path,
        &bearer(Uuid::now_v7(), Role::Merchant),
        &[],
        None,
    )
    .await;
    assert_eq!(shipped.status, 200, "{shipped:?}");
    assert_eq!(
        (shop.to_ship("").await, shop.to_ship("&status=shipped").await),
        (orders.clone(), vec![sent])
    );

    let shown = shop.as_merchant(&format!("{LIST}/{}", orders[0])).await;
    let mut expected =
        json!({"id": orders[0], "status": "confirmed", "lines": [{"product_id": KETTLE, "quantity": 1}]});
    expected["created_at"] = shown.body["created_at"].clone();
    assert_eq!((shown.status, &shown.body), (200, &expected), "no customer, no price");
    for unknown in [placed.to_string(), Uuid::now_v7().to_string(), "seven".to_owned()] {
        assert_eq!(
            shop.as_merchant(&format!("{LIST}/{unknown}")).await.status,
            404,
            "{unknown}"
        );
    }
    for query in [
        "status=placed",
        "status=delivered",
        "limit=0",
        "limit=101",
        "cursor=x",
        "user_id=x",
    ] {
        assert_eq!(
            shop.as_merchant(&format!("{LIST}?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn test_orders_are_nobodys_to_send() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let body = of(json!([crate::shop::line(SYNTHETIC_PRODUCT, 1)]));
    let placed = post(&shop.app, &synthetic(user), &[("x-shop-synthetic", KEY)], &body).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    shop.saga()
        .handle(&[payment(PAYMENT_CAPTURED, user, placed.id())])
        .await
        .unwrap();
    assert_eq!(shop.to_ship("").await, Vec::<Uuid>::new());
    assert_eq!(shop.as_merchant(&format!("{LIST}/{}", placed.id())).await.status, 404);
}

#[tokio::test]
async fn a_list_without_one_of_the_shards_is_no_list() {
    let shop = Shop::start().await;
    shop.confirmed_order(shop.two.user_in(0)).await;
    let without = shop.two.open_without(1).await.unwrap();
    let app = face(shop.state(without, &shop.stage.url, &shop.stage.url));
    let answer = call(&app, "GET", LIST, &bearer(Uuid::now_v7(), Role::Merchant), &[], None).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{answer:?}"
    );
}

/// As it was when the order was placed, whatever the account keeps.
#[tokio::test]
async fn an_order_knows_where_it_is_sent() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let mut body = of(json!([line(KETTLE, 1)]));
    body["ship_to"] = address(json!({"recipient": " Ada ", "line2": "Flat 2", "country": "de"}));
    let placed = post(
        &shop.app,
        &bearer(user, Role::Customer),
        &[("idempotency-key", "k")],
        &body,
    )
    .await;
    let kept = address(json!({"line2": "Flat 2"}));
    assert_eq!((placed.status, &placed.body["ship_to"]), (201, &kept), "{placed:?}");
    let id = placed.id();
    shop.saga()
        .handle(&[payment(PAYMENT_CAPTURED, user, id)])
        .await
        .unwrap();
    let seen = shop.get(user, &format!("/api/v1/orders/{id}")).await;
    assert_eq!(seen.body["ship_to"], kept);
    let to_ship = shop.as_merchant(&format!("{LIST}/{id}")).await;
    assert_eq!(to_ship.body["ship_to"], kept);
    let without = shop.confirmed_order(user).await;
    let to_ship = shop.as_merchant(&format!("{LIST}/{without}")).await;
    assert_eq!((to_ship.status, to_ship.body.get("ship_to")), (200, None));
}
