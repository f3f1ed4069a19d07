//! Every route with every role, read from the service's own description, so that no route is forgotten.

use crate::shop::{Shop, bearer, call, line, of};
use crate::stage::KETTLE;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_order::router::openapi;
use std::path::Path;
use uuid::Uuid;

#[test]
fn the_committed_description_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    openapi().compare(&path).unwrap();
}

#[tokio::test]
async fn the_description_is_served() {
    let shop = Shop::start().await;
    let served = call(&shop.app, "GET", "/api/v1/orders/openapi.json", "", &[], None).await;
    let known: Value = serde_json::from_str(openapi().json()).unwrap();
    assert_eq!((served.status, served.body), (200, known));
}

/// What a customer, a merchant, support and an admin are answered, about an order of their own and of somebody else.
fn expected(operation: &str) -> ([u16; 4], [u16; 4]) {
    const EVERYBODY: [u16; 4] = [200; 4];
    const SUPPORT: [u16; 4] = [404, 404, 200, 200];
    const SENDERS: [u16; 4] = [403, 200, 200, 200];
    match operation {
        "listOrders" | "showCart" | "putCartLine" => (EVERYBODY, EVERYBODY),
        "placeOrder" => ([201; 4], [201; 4]),
        "deleteCart" | "deleteCartLine" => ([204; 4], [204; 4]),
        "showOrder" | "showOrderHistory" | "cancelOrder" => (EVERYBODY, SUPPORT),
        "shipOrder" | "deliverOrder" | "listOrdersToShip" | "showOrderToShip" => (SENDERS, SENDERS),
        other => panic!("{other} is not in this table"),
    }
}

#[tokio::test]
async fn every_route_serves_the_roles_it_names() {
    let shop = Shop::start().await;
    // In the callers' own shard: it is not the shard that keeps orders apart.
    let owner = shop.two.user_in(0);
    for operation in openapi().operations() {
        assert!(operation.secured, "{operation:?} asks for no token");
        let id = operation.id.clone().unwrap();
        let (own, other) = expected(&id);
        let body = match id.as_str() {
            "placeOrder" => Some(of(json!([line(KETTLE, 1)]))),
            "putCartLine" => Some(json!({"quantity": 1})),
            _ => None,
        };
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let caller = shop.two.user_in(0);
            for (whose, status) in [(caller, own[index]), (owner, other[index])] {
                let order = shop.order_for(whose, &id).await;
                let path = operation.path.replace("{id}", &order.to_string());
                let path = path.replace("{product_id}", &KETTLE.to_string());
                let answer = call(
                    &shop.app,
                    operation.method,
                    &path,
                    &bearer(caller, role),
                    &[],
                    body.as_ref(),
                )
                .await;
                assert_eq!(answer.status, status, "{id} as {role:?} of {whose}: {answer:?}");
            }
        }
        let path = operation.path.replace("{id}", &Uuid::now_v7().to_string());
        let path = path.replace("{product_id}", &KETTLE.to_string());
        for token in ["", "Basic eDp5", "Bearer x", "Bearer eyJhbGciOiJub25lIn0.e30."] {
            let answer = call(&shop.app, operation.method, &path, token, &[], body.as_ref()).await;
            assert_eq!(answer.status, 401, "{id} with {token:?}: {answer:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

impl Shop {
    /// An order in the state this operation is for.
    async fn order_for(&self, user: Uuid, operation: &str) -> Uuid {
        let order = self.confirmed_order(user).await;
        if operation == "deliverOrder" {
            let path = format!("/api/v1/orders/{order}/ship");
            let shipped = call(&self.app, "POST", &path, &bearer(user, Role::Admin), &[], None).await;
            assert_eq!(shipped.status, 200, "{shipped:?}");
        }
        order
    }
}
