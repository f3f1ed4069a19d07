//! The feed and the webhook as their owner sees them.

use crate::shop::{Shop, ask, text};
use serde_json::json;
use shop_user::store::notification::{NewNotification, add};
use uuid::Uuid;

const FEED: &str = "/api/v1/notifications";
const WEBHOOK: &str = "/api/v1/users/me/webhook";

async fn tell(shop: &Shop, user: Uuid, count: usize) {
    let pool = shop.pools.of_user(user).unwrap().pool;
    let new = (0..count).map(|_| NewNotification {
        user_id: user,
        kind: "order.placed".to_owned(),
        order_id: Uuid::now_v7(),
    });
    let mut transaction = pool.begin().await.unwrap();
    add(&mut transaction, &new.collect::<Vec<_>>()).await.unwrap();
    pool.commit(transaction).await.unwrap();
}

#[tokio::test]
async fn the_feed_comes_in_pages_and_can_be_marked_as_read_by_its_owner_only() {
    let shop = Shop::start().await;
    let (ada, session) = shop.customer(&shop.two.email_in(0)).await;
    let (_, other) = shop.customer(&shop.two.email_in(1)).await;
    let (mine, theirs) = (text(&session["access_token"]), text(&other["access_token"]));
    tell(&shop, ada, 3).await;
    let first = ask("GET", &format!("{FEED}?limit=2")).token(&mine).of(&shop.app).await;
    assert_eq!((first.status, first.body["items"].as_array().unwrap().len()), (200, 2));
    let cursor = text(&first.body["next_cursor"]);
    let next = format!("{FEED}?limit=2&cursor={cursor}");
    let second = ask("GET", &next).token(&mine).of(&shop.app).await;
    assert_eq!(second.body["items"].as_array().unwrap().len(), 1);
    assert!(second.body.get("next_cursor").is_none());

    let id = text(&first.body["items"][0]["id"]);
    let read = format!("{FEED}/{id}/read");
    assert_eq!(ask("PUT", &read).token(&theirs).of(&shop.app).await.status, 404);
    assert_eq!(ask("PUT", &read).token(&mine).of(&shop.app).await.status, 204);
    let all = ask("PUT", &format!("{FEED}/read"));
    assert_eq!(all.token(&mine).of(&shop.app).await.status, 204);
    let feed = ask("GET", FEED).token(&mine).of(&shop.app).await;
    let items = feed.body["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["read_at"].is_string()), "{feed:?}");
    let empty = ask("GET", FEED).token(&theirs).of(&shop.app).await;
    assert_eq!(empty.body, json!({"items": []}));
    assert_eq!(ask("GET", FEED).of(&shop.app).await.status, 401);
}

#[tokio::test]
async fn a_webhook_leads_outside_and_its_secret_is_shown_once() {
    let shop = Shop::start().await;
    let (_, session) = shop.customer(&shop.two.email_in(0)).await;
    let token = text(&session["access_token"]);
    assert_eq!(ask("GET", WEBHOOK).token(&token).of(&shop.app).await.status, 404);
    for url in [
        "http://169.254.169.254/",
        "http://shop-order/",
        "ftp://example.com/",
        "nonsense",
        "",
    ] {
        let refused = ask("PUT", WEBHOOK)
            .token(&token)
            .json(json!({"url": url}))
            .of(&shop.app)
            .await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["/url"]), "{url}");
    }
    let url = "https://example.com/hook";
    let set = ask("PUT", WEBHOOK)
        .token(&token)
        .json(json!({"url": url}))
        .of(&shop.app)
        .await;
    assert_eq!(set.status, 200, "{set:?}");
    assert!(text(&set.body["secret"]).starts_with("whsec_"));
    assert_eq!(set.headers["cache-control"], "no-store");
    let again = ask("PUT", WEBHOOK)
        .token(&token)
        .json(json!({"url": url}))
        .of(&shop.app)
        .await;
    assert_ne!(again.body["secret"], set.body["secret"]);
    let shown = ask("GET", WEBHOOK).token(&token).of(&shop.app).await;
    assert_eq!((shown.status, text(&shown.body["url"])), (200, url.to_owned()));
    assert!(shown.body.get("secret").is_none());
    assert_eq!(ask("DELETE", WEBHOOK).token(&token).of(&shop.app).await.status, 204);
    assert_eq!(ask("DELETE", WEBHOOK).token(&token).of(&shop.app).await.status, 404);
}
