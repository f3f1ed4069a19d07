//! Carts, and checkouts that take them.

use crate::shop::{Answer, Shop, bearer, call, line, post};
use crate::stage::{KETTLE, LAMP, UNKNOWN};
use serde_json::{Value, json};
use shop_contract::api::Role;
use uuid::Uuid;

impl Shop {
    async fn put(&self, user: Uuid, product: Uuid, quantity: u32) -> Answer {
        let body = json!({ "quantity": quantity });
        self.cart_call("PUT", user, &format!("/lines/{product}"), Some(&body))
            .await
    }

    async fn cart_call(&self, method: &str, user: Uuid, path: &str, body: Option<&Value>) -> Answer {
        let token = bearer(user, Role::Customer);
        call(&self.app, method, &format!("/api/v1/cart{path}"), &token, &[], body).await
    }

    async fn order_cart(&self, user: Uuid, headers: &[(&str, &str)]) -> Answer {
        let token = bearer(user, Role::Customer);
        post(&self.app, &token, headers, &json!({"payment_token": "tok_ok"})).await
    }
}

#[tokio::test]
async fn a_cart_keeps_what_is_put_in_order() {
    let shop = Shop::start().await;
    let (user, neighbour) = (shop.two.user_in(1), shop.two.user_in(1));
    assert_eq!(shop.get(user, "/api/v1/cart").await.body, json!({"lines": []}));
    shop.put(user, LAMP, 1).await;
    shop.put(user, KETTLE, 2).await;
    let changed = shop.put(user, LAMP, 99).await;
    assert_eq!(
        (changed.status, &changed.body),
        (200, &json!({"lines": [line(LAMP, 99), line(KETTLE, 2)]}))
    );
    assert_eq!(shop.get(user, "/api/v1/cart").await.body, changed.body);
    assert_eq!(shop.get(neighbour, "/api/v1/cart").await.body, json!({"lines": []}));
    for product in [LAMP, LAMP, UNKNOWN] {
        assert_eq!(
            shop.cart_call("DELETE", user, &format!("/lines/{product}"), None)
                .await
                .status,
            204
        );
    }
    assert_eq!(
        shop.get(user, "/api/v1/cart").await.body,
        json!({"lines": [line(KETTLE, 2)]})
    );
    assert_eq!(shop.cart_call("DELETE", user, "", None).await.status, 204);
    assert_eq!(shop.get(user, "/api/v1/cart").await.body, json!({"lines": []}));
}

#[tokio::test]
async fn a_full_cart_takes_no_other_product() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let products: Vec<Uuid> = (0..51).map(|n| Uuid::from_u128(0x100 + n)).collect();
    shop.stage
        .acts()
        .prices
        .extend(products.iter().map(|id| (*id, (1, "EUR"))));
    for product in &products[..50] {
        assert_eq!(shop.put(user, *product, 1).await.status, 200);
    }
    let full = shop.put(user, products[50], 1).await;
    assert_eq!((full.status, full.kind()), (409, "cart-full"));
    assert_eq!(shop.put(user, products[0], 2).await.status, 200);
    assert_eq!(shop.order_cart(user, &[]).await.body["total_cents"], 51);
}

#[tokio::test]
async fn a_checkout_takes_the_cart_and_empties_it() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let key = [("idempotency-key", "cart")];
    let empty = shop.order_cart(user, &key).await;
    assert_eq!((empty.status, empty.pointers()), (422, vec!["/lines"]));
    shop.put(user, LAMP, 1).await;
    shop.put(user, KETTLE, 2).await;
    let placed = shop.order_cart(user, &key).await;
    assert_eq!(
        (placed.status, &placed.body["total_cents"]),
        (201, &json!(1_500)),
        "{placed:?}"
    );
    assert_eq!(placed.body["lines"][0]["product_id"], json!(LAMP));
    assert_eq!(shop.get(user, "/api/v1/cart").await.body, json!({"lines": []}));
    let again = shop.order_cart(user, &key).await;
    assert_eq!((again.status, &again.body), (201, &placed.body));
    assert_eq!(shop.count(0, "select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_cart_that_cannot_be_ordered_stays() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    shop.put(user, KETTLE, 1).await;
    shop.put(user, LAMP, 1).await;
    shop.stage.acts().sold_out = Some(LAMP);
    let short = shop.order_cart(user, &[]).await;
    assert_eq!(
        (short.status, short.pointers()),
        (409, vec!["/lines/1/quantity"]),
        "{short:?}"
    );
    assert_eq!(
        shop.get(user, "/api/v1/cart").await.body["lines"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(shop.place(user, json!([line(KETTLE, 1)])).await.status, 201);
    assert_eq!(
        shop.get(user, "/api/v1/cart").await.body["lines"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

/// Two checkouts of one cart: the lock on its row decides, and the other learns that the cart is not what it was.
#[tokio::test]
async fn one_cart_is_ordered_once() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    for round in 0..10 {
        shop.put(user, KETTLE, 1).await;
        let keys: Vec<String> = (0..3).map(|n| format!("{round}-{n}")).collect();
        let headers: Vec<[(&str, &str); 1]> = keys.iter().map(|key| [("idempotency-key", key.as_str())]).collect();
        // Every other time without a key.
        let headers = headers.iter().map(|header| &header[..1 - round % 2]);
        let asked = headers.map(|headers| shop.order_cart(user, headers));
        let answers = futures::future::join_all(asked).await;
        let placed = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(placed, 1, "{answers:?}");
        for other in answers.iter().filter(|answer| answer.status != 201) {
            let empty = other.status == 422 && other.pointers() == ["/lines"];
            assert!(
                empty || (other.status == 409 && other.kind() == "cart-changed"),
                "{other:?}"
            );
        }
    }
    let orders = shop.count(1, "select count(*) from orders").await;
    let events = shop.count(1, "select count(*) from outbox").await;
    let kept = shop
        .count(1, "select count(*) from order_idempotency where status = 201")
        .await;
    assert_eq!((orders, events, kept), (10, 10, 5));
    assert_eq!(shop.count(1, "select count(*) from order_idempotency").await, 5);
}
