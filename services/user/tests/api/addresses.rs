//! Addresses: the caller's own, a bounded number of them.

use crate::shop::{Answer, Shop, ask, text};
use serde_json::{Value, json};

const ADDRESSES: &str = "/api/v1/users/me/addresses";

fn address(city: &str) -> Value {
    json!({"recipient": "Ada", "line1": "Street 1", "city": city, "postal_code": "10115", "country": "de"})
}

async fn add(shop: &Shop, token: &str, key: Option<&str>, body: Value) -> Answer {
    let request = ask("POST", ADDRESSES).token(token);
    let request = key
        .into_iter()
        .fold(request, |request, key| request.header("idempotency-key", key));
    request.json(body).of(&shop.app).await
}

#[tokio::test]
async fn an_address_is_added_read_replaced_and_removed() {
    let shop = Shop::start().await;
    let (_, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let added = add(&shop, &token, None, address(" Berlin ")).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(
        (&added.body["city"], &added.body["country"]),
        (&json!("Berlin"), &json!("DE"))
    );
    let path = added.headers["location"].to_str().unwrap().to_owned();
    let read = async || ask("GET", &path).token(&token).of(&shop.app).await;
    assert_eq!(read().await.body, added.body);
    let mut other = address("Hamburg");
    other["line2"] = json!("third floor");
    let replaced = ask("PUT", &path).token(&token).json(other).of(&shop.app).await;
    assert_eq!(
        (replaced.status, &replaced.body["line2"]),
        (200, &json!("third floor")),
        "{replaced:?}"
    );
    assert_eq!(read().await.body, replaced.body);
    let remove = async || ask("DELETE", &path).token(&token).of(&shop.app).await.status;
    assert_eq!((remove().await, remove().await, read().await.status), (204, 404, 404));
}

#[tokio::test]
async fn somebody_else_s_address_is_unknown() {
    let shop = Shop::start().await;
    let (user, ada) = shop.customer("ada@example.com").await;
    let (_, bob) = shop.neighbour(user).await;
    let added = add(&shop, &text(&ada["access_token"]), None, address("Berlin")).await;
    let path = added.headers["location"].to_str().unwrap();
    let bob = text(&bob["access_token"]);
    for request in [
        ask("GET", path),
        ask("DELETE", path),
        ask("PUT", path).json(address("Hamburg")),
    ] {
        assert_eq!(request.token(&bob).of(&shop.app).await.status, 404);
    }
    let list = ask("GET", ADDRESSES).token(&bob).of(&shop.app).await;
    assert_eq!(list.body["items"], json!([]));
    let still = ask("GET", path).token(&text(&ada["access_token"])).of(&shop.app).await;
    assert_eq!(still.body, added.body);
}

#[tokio::test]
async fn there_are_twenty_at_most_and_pages_hold_each_once() {
    let shop = Shop::start().await;
    let (user, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let adding = (0..24).map(|city| add(&shop, &token, None, address(&format!("City {city}"))));
    let answers = futures::future::join_all(adding).await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(201), with(409)), (20, 4));
    let count = "select count(*) from user_addresses where user_id = $1";
    assert_eq!(shop.count(user, count).await, 20);

    let (mut seen, mut path) = (Vec::new(), format!("{ADDRESSES}?limit=7"));
    loop {
        let page = ask("GET", &path).token(&token).of(&shop.app).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(
            page.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| text(&item["id"])),
        );
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("{ADDRESSES}?limit=7&cursor={cursor}");
    }
    let different: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), different.len()), (20, 20));
}

#[tokio::test]
async fn a_repeated_request_adds_once() {
    let shop = Shop::start().await;
    let (user, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let first = add(&shop, &token, Some("k"), address("Berlin")).await;
    let again = add(&shop, &token, Some("k"), address("Berlin")).await;
    assert_eq!((first.status, again.status, &again.body), (201, 201, &first.body));
    assert_eq!(again.headers["location"], first.headers["location"]);
    let other = add(&shop, &token, Some("k"), address("Hamburg")).await;
    assert_eq!((other.status, other.kind()), (422, "idempotency-key-reused"));
    let wrong = add(&shop, &token, Some("l"), address("")).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(add(&shop, &token, Some("l"), address("Bonn")).await.status, 201);
    let count = "select count(*) from user_addresses where user_id = $1";
    assert_eq!(shop.count(user, count).await, 2);
}

#[tokio::test]
async fn an_address_is_added_though_its_client_hangs_up() {
    let shop = Shop::start().await;
    let (user, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let pool = shop.pools.of_user(user).unwrap().pool;
    let mut slow = pool.begin().await.unwrap();
    sqlx::query("select from users where id = $1 for update")
        .bind(user)
        .execute(&mut *slow)
        .await
        .unwrap();
    let request = ask("POST", ADDRESSES).token(&token).header("idempotency-key", "k");
    let (request, app) = (request.json(address("Berlin")), shop.app.clone());
    let hangs_up = tokio::spawn(async move { request.of(&app).await });
    shop.until_it_waits(user, &hangs_up).await;
    hangs_up.abort();
    assert!(hangs_up.await.unwrap_err().is_cancelled());
    slow.commit().await.unwrap();
    shop.until_one(user, "select count(*) from user_addresses where user_id = $1")
        .await;
    let again = add(&shop, &token, Some("k"), address("Berlin")).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(again.headers["idempotency-replayed"], "true");
}
