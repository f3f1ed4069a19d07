//! Every field of every body with values it must not have, and card numbers wherever one may be typed.

use crate::shop::{Shop, address, bearer, call, line, of, post};
use crate::stage::{DEAR, FOREIGN, KETTLE, LAMP, UNKNOWN};
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_contract::probe::SYNTHETIC_PRODUCT;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

#[tokio::test]
async fn bad_orders_name_every_field() {
    let shop = Shop::start().await;
    let token = bearer(shop.two.user_in(0), Role::Customer);
    let many: Vec<Value> = (0..51).map(|n| line(Uuid::from_u128(100 + n), 1)).collect();
    let kettle = json!([line(KETTLE, 1)]);
    let paid = |token: Value| json!({"lines": kettle, "payment_token": token});
    let sent = |address: Value| json!({"lines": kettle, "payment_token": "tok_ok", "ship_to": address});
    let table = [
        (of(json!([])), vec!["/lines"]),
        (of(json!(many)), vec!["/lines"]),
        (of(json!({})), vec!["/lines"]),
        (of(json!("x")), vec!["/lines"]),
        (of(json!([7])), vec!["/lines/0"]),
        (
            of(json!([line(KETTLE, 0), line(LAMP, 100)])),
            vec!["/lines/0/quantity", "/lines/1/quantity"],
        ),
        (
            of(json!([line(KETTLE, 1), line(KETTLE, 1)])),
            vec!["/lines/1/product_id"],
        ),
        (
            of(json!([line(UNKNOWN, 1), line(KETTLE, 1), line(Uuid::nil(), 1)])),
            vec!["/lines/0/product_id", "/lines/2/product_id"],
        ),
        (
            of(json!([line(KETTLE, 1), line(FOREIGN, 1)])),
            vec!["/lines/1/product_id"],
        ),
        (of(json!([line(SYNTHETIC_PRODUCT, 1)])), vec!["/lines/0/product_id"]),
        (of(json!([line(DEAR, 99)])), vec!["/lines"]),
        (
            of(json!([{"product_id": "seven", "quantity": 1}])),
            vec!["/lines/0/product_id"],
        ),
        (
            of(json!([{"product_id": 7, "quantity": 1}])),
            vec!["/lines/0/product_id"],
        ),
        (
            of(json!([{"product_id": KETTLE, "quantity": -1}])),
            vec!["/lines/0/quantity"],
        ),
        (
            of(json!([{"product_id": KETTLE, "quantity": 1.5}])),
            vec!["/lines/0/quantity"],
        ),
        (
            of(json!([{"product_id": KETTLE, "quantity": "1"}])),
            vec!["/lines/0/quantity"],
        ),
        (
            of(json!([{"product_id": KETTLE, "quantity": 4_294_967_296_u64}])),
            vec!["/lines/0/quantity"],
        ),
        (
            of(json!([{"product_id": KETTLE, "quantity": null}])),
            vec!["/lines/0/quantity"],
        ),
        (of(json!([{"product_id": KETTLE}])), vec!["/lines/0"]),
        (
            of(json!([{"product_id": KETTLE, "quantity": 1, "price_cents": 1}])),
            vec!["/lines/0/price_cents"],
        ),
        (
            json!({"lines": kettle, "payment_token": "tok_ok", "total": 1}),
            vec!["/total"],
        ),
        (json!({"lines": kettle}), vec![""]),
        (json!({"payment_token": "tok_ok"}), vec!["/lines"]),
        (paid(json!("")), vec!["/payment_token"]),
        (paid(json!("tok_")), vec!["/payment_token"]),
        (paid(json!("TOK_OK")), vec!["/payment_token"]),
        (paid(json!(format!("tok_{}", "x".repeat(61)))), vec!["/payment_token"]),
        (paid(json!(7)), vec!["/payment_token"]),
        (paid(json!(null)), vec!["/payment_token"]),
        (paid(json!(["tok_ok"])), vec!["/payment_token"]),
        (
            json!({"lines": [], "payment_token": "x"}),
            vec!["/lines", "/payment_token"],
        ),
        (sent(json!({})), vec!["/ship_to"]),
        (sent(json!("Berlin")), vec!["/ship_to"]),
        (sent(address(json!({"floor": 3}))), vec!["/ship_to/floor"]),
        (sent(address(json!({"city": 7}))), vec!["/ship_to/city"]),
        (
            sent(address(json!({"recipient": " ", "line2": "", "country": "Germany"}))),
            vec!["/ship_to/recipient", "/ship_to/line2", "/ship_to/country"],
        ),
        (
            sent(address(json!({"postal_code": "1".repeat(21)}))),
            vec!["/ship_to/postal_code", "/ship_to/postal_code"],
        ),
        (sent(address(json!({"region": "x\u{0}"}))), vec!["/ship_to/region"]),
        (json!([]), vec![""]),
        (json!("x"), vec![""]),
    ];
    for (body, pointers) in table {
        let answer = post(&shop.app, &token, &[], &body).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, pointers),
            "{body}: {answer:?}"
        );
    }
    for table in ["select count(*) from orders", "select count(*) from outbox"] {
        assert_eq!(shop.count(0, table).await, 0);
    }
    assert!(shop.stage.acts().asked.is_empty());
}

#[tokio::test]
async fn bad_cart_lines_name_the_field() {
    let shop = Shop::start().await;
    let token = bearer(shop.two.user_in(0), Role::Customer);
    let path = format!("/api/v1/cart/lines/{KETTLE}");
    let table = [
        (json!({"quantity": 0}), "/quantity"),
        (json!({"quantity": 100}), "/quantity"),
        (json!({"quantity": -1}), "/quantity"),
        (json!({"quantity": "1"}), "/quantity"),
        (json!({"quantity": null}), "/quantity"),
        (json!({"quantity": 1, "product_id": KETTLE}), "/product_id"),
        (json!({}), ""),
        (json!(1), ""),
    ];
    for (body, pointer) in table {
        let answer = call(&shop.app, "PUT", &path, &token, &[], Some(&body)).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, vec![pointer]),
            "{body}: {answer:?}"
        );
    }
    let one = json!({"quantity": 1});
    for product in [UNKNOWN.to_string(), SYNTHETIC_PRODUCT.to_string(), "seven".to_owned()] {
        let path = format!("/api/v1/cart/lines/{product}");
        assert_eq!(
            call(&shop.app, "PUT", &path, &token, &[], Some(&one)).await.status,
            404,
            "{product}"
        );
    }
    assert_eq!(shop.count(0, "select count(*) from carts").await, 0);
}

#[tokio::test]
async fn what_is_no_json_or_too_large_is_told_from_what_is_wrong() {
    let shop = Shop::start().await;
    let token = bearer(shop.two.user_in(0), Role::Customer);
    let large = json!({"lines": [], "payment_token": "x".repeat(70_000)});
    assert_eq!(post(&shop.app, &token, &[], &large).await.status, 413);
    assert_eq!(
        call(&shop.app, "POST", "/api/v1/orders", &token, &[], None)
            .await
            .status,
        415
    );
    let json = [("content-type", "application/json")];
    assert_eq!(
        call(&shop.app, "POST", "/api/v1/orders", &token, &json, None)
            .await
            .status,
        400
    );
    for key in ["", " ", &"k".repeat(256), "é"] {
        let answer = post(
            &shop.app,
            &token,
            &[("idempotency-key", key)],
            &of(json!([line(KETTLE, 1)])),
        )
        .await;
        assert_eq!(answer.status, 400, "{key:?}");
    }
}

#[tokio::test]
async fn a_card_number_is_refused_and_appears_nowhere() {
    const DIGITS: &str = "4111111111111111";
    let shop = Shop::start().await;
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logs.clone());
    // With a single subscriber, a log line first met by another test's thread is judged by that thread, which has none,
    // and stays off for all. With two alive both are asked.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let token = bearer(shop.two.user_in(0), Role::Customer);
    let kettle = json!([line(KETTLE, 1)]);
    let number: Value = serde_json::from_str(DIGITS).unwrap();
    for body in [
        json!({"lines": kettle, "payment_token": DIGITS}),
        json!({"lines": kettle, "payment_token": format!("tok_{DIGITS}")}),
        json!({"lines": kettle, "payment_token": "tok_4111_1111_1111_1111"}),
        json!({"lines": kettle, "payment_token": number}),
        json!({"lines": kettle, "payment_token": {"number": DIGITS}}),
        json!({"lines": kettle, "payment_token": "tok_ok", DIGITS: 1}),
        json!({"lines": kettle, "payment_token": "tok_ok", "card": DIGITS}),
        json!({"lines": kettle, "payment_token": "tok_ok", "ship_to": address(json!({"line2": DIGITS}))}),
        json!({"lines": [number], "payment_token": "tok_ok"}),
        json!({"lines": [{"product_id": DIGITS, "quantity": number}], "payment_token": "tok_ok"}),
        json!({"lines": [{"product_id": KETTLE, "quantity": number}], "payment_token": "tok_ok"}),
        number.clone(),
        json!(DIGITS),
    ] {
        let answer = post(&shop.app, &token, &[("idempotency-key", "k")], &body).await;
        let told = answer.body.to_string();
        assert_eq!(answer.status, 422, "{told}");
        assert!(!told.contains(DIGITS) && !told.contains("4111_1111"), "{told}");
    }
    let refused = post(
        &shop.app,
        &token,
        &[],
        &json!({"lines": kettle, "payment_token": DIGITS}),
    )
    .await;
    let rule = refused.body["errors"][0]["detail"].as_str().unwrap();
    assert!(rule.contains("card numbers are refused"), "{rule}");
    let logs = String::from_utf8_lossy(&logs.0.lock().unwrap()).into_owned();
    assert!(logs.contains("POST") && !logs.contains(DIGITS), "{logs}");
    assert_eq!(shop.count(0, "select count(*) from order_idempotency").await, 0);
}

/// What was logged.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
