//! What people do with orders.

use crate::shop::{Answer, Shop, bearer, call};
use serde_json::json;
use shop_contract::api::Role;
use uuid::Uuid;

impl Shop {
    async fn say(&self, who: Uuid, role: Role, order: Uuid, verb: &str, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/api/v1/orders/{order}/{verb}");
        call(&self.app, "POST", &path, &bearer(who, role), headers, None).await
    }
}

fn steps(story: &[(String, String)]) -> Vec<(&str, &str)> {
    story
        .iter()
        .map(|(status, by)| (status.as_str(), by.as_str()))
        .collect()
}

#[tokio::test]
async fn an_order_is_seen_through() {
    let shop = Shop::start().await;
    let (user, merchant) = (shop.two.user_in(1), shop.two.user_in(0));
    let order = shop.confirmed_order(user).await;
    for (verb, status) in [("ship", "shipped"), ("deliver", "delivered")] {
        for _ in 0..2 {
            let said = shop.say(merchant, Role::Merchant, order, verb, &[]).await;
            assert_eq!((said.status, &said.body["status"]), (200, &json!(status)), "{said:?}");
            assert_eq!(said.id(), order);
        }
    }
    let late = shop.say(user, Role::Customer, order, "cancel", &[]).await;
    assert_eq!((late.status, late.kind()), (409, "order-state"));
    assert!(
        late.body["detail"].as_str().unwrap().contains("is delivered"),
        "{late:?}"
    );
    let story = shop.story(user, order).await;
    let expected = [
        ("placed", "customer"),
        ("confirmed", "payment"),
        ("shipped", "merchant"),
        ("delivered", "merchant"),
    ];
    assert_eq!(steps(&story), expected);
    assert_eq!(
        shop.told(1, order).await,
        ["order.placed", "order.confirmed", "order.shipped"]
    );
    let actor = "select count(*) from order_history where actor_id is not null";
    assert_eq!(shop.count(1, actor).await, 2);
}

#[tokio::test]
async fn what_is_not_paid_is_not_shipped() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let order = shop.order(user).await;
    for verb in ["ship", "deliver"] {
        let said = shop.say(user, Role::Merchant, order, verb, &[]).await;
        assert_eq!((said.status, said.kind()), (409, "order-state"), "{said:?}");
    }
    let unknown = shop.say(user, Role::Support, Uuid::now_v7(), "ship", &[]).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(steps(&shop.story(user, order).await), [("placed", "customer")]);
}

#[tokio::test]
async fn customers_cancel_their_own_and_support_anybodys() {
    let shop = Shop::start().await;
    let (user, neighbour, support) = (shop.two.user_in(0), shop.two.user_in(0), shop.two.user_in(1));
    let (placed, confirmed) = (shop.order(user).await, shop.confirmed_order(user).await);
    for stranger in [neighbour, support] {
        assert_eq!(
            shop.say(stranger, Role::Customer, placed, "cancel", &[]).await.status,
            404
        );
    }
    let mine = shop.say(user, Role::Customer, placed, "cancel", &[]).await;
    assert_eq!(
        (mine.status, &mine.body["cancel_reason"]),
        (200, &json!("customer")),
        "{mine:?}"
    );
    let theirs = shop.say(support, Role::Support, confirmed, "cancel", &[]).await;
    assert_eq!(
        (theirs.status, &theirs.body["cancel_reason"]),
        (200, &json!("support")),
        "{theirs:?}"
    );
    let again = shop.say(support, Role::Support, placed, "cancel", &[]).await;
    assert_eq!(
        (again.status, &again.body["cancel_reason"]),
        (200, &json!("customer")),
        "the first reason stays"
    );
    assert_eq!(shop.told(0, placed).await, ["order.placed", "order.cancelled"]);
    assert_eq!(
        shop.told(0, confirmed).await,
        ["order.placed", "order.confirmed", "order.cancelled"]
    );
    let story = shop.story(user, confirmed).await;
    assert_eq!(steps(&story)[2], ("cancelled", "support"));
}

#[tokio::test]
async fn a_key_changes_once_and_answers_the_same() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let (order, other) = (shop.order(user).await, shop.order(user).await);
    let key = [("idempotency-key", "c-1")];
    let early = shop.say(user, Role::Admin, order, "ship", &key).await;
    assert_eq!(early.status, 409, "what was refused gives its key back");
    let first = shop.say(user, Role::Customer, order, "cancel", &key).await;
    let again = shop.say(user, Role::Customer, order, "cancel", &key).await;
    assert_eq!((first.status, again.status, &again.body), (200, 200, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let reused = shop.say(user, Role::Customer, other, "cancel", &key).await;
    assert_eq!((reused.status, reused.kind()), (422, "idempotency-key-reused"));
    assert_eq!(shop.status(user, other).await, "placed");
}

#[tokio::test]
async fn support_lists_and_reads_a_customers_orders() {
    let shop = Shop::start().await;
    let (user, support) = (shop.two.user_in(0), shop.two.user_in(1));
    let order = shop.order(user).await;
    let path = format!("/api/v1/orders?user_id={user}");
    for (role, status) in [
        (Role::Customer, 403),
        (Role::Merchant, 403),
        (Role::Support, 200),
        (Role::Admin, 200),
    ] {
        let page = call(&shop.app, "GET", &path, &bearer(support, role), &[], None).await;
        assert_eq!(page.status, status, "{role:?} {page:?}");
        if status == 200 {
            assert_eq!(page.body["items"][0]["id"], json!(order));
        }
    }
    assert_eq!(shop.get(user, &path).await.status, 200, "one's own id is no secret");
    // A shard that is away hides an order only when no other has it.
    let without = crate::shop::face(shop.state(
        shop.two.open_without(1).await.unwrap(),
        &shop.stage.url,
        &shop.stage.url,
    ));
    let token = bearer(shop.two.user_in(0), Role::Support);
    let found = call(&without, "GET", &format!("/api/v1/orders/{order}"), &token, &[], None).await;
    assert_eq!(found.status, 200, "{found:?}");
    let maybe = call(
        &without,
        "GET",
        &format!("/api/v1/orders/{}", Uuid::now_v7()),
        &token,
        &[],
        None,
    )
    .await;
    assert_eq!((maybe.status, &maybe.body["tier"]), (503, &json!("postgres/orders/1")));
}
