//! Refresh tokens and sessions.

use crate::shop::{Answer, PASSWORD, Shop, ask, text};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join;
use serde_json::{Value, json};
use shop_contract::api::Role;
use shop_user::refresh::RefreshToken;
use shop_user::store;
use uuid::Uuid;

const SESSIONS: &str = "select count(*) from user_sessions where user_id = $1";

async fn list(shop: &Shop, token: &Value) -> Answer {
    let request = ask("GET", "/api/v1/sessions").token(token.as_str().unwrap());
    request.of(&shop.app).await
}

async fn delete(shop: &Shop, token: &Value, path: &str) -> u16 {
    let request = ask("DELETE", path).token(token.as_str().unwrap());
    request.of(&shop.app).await.status
}

#[tokio::test]
async fn a_refresh_token_holds_once_and_its_reuse_ends_the_session() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let second = shop.refresh(&first["refresh_token"]).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.headers["cache-control"], "no-store");
    assert_eq!(second.body["session_id"], first["session_id"]);
    assert_ne!(second.body["refresh_token"], first["refresh_token"]);
    assert_eq!(shop.me(&text(&second.body["access_token"])).await.status, 200);
    let third = shop.refresh(&second.body["refresh_token"]).await;
    assert_eq!(third.status, 200);

    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 401);
    assert_eq!(shop.refresh(&third.body["refresh_token"]).await.status, 401);
    assert_eq!(shop.count(user, SESSIONS).await, 0);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_succeeds_at_most() {
    let shop = Shop::start().await;
    let (_, first) = shop.customer("ada@example.com").await;
    let token = &first["refresh_token"];
    let (left, right) = join(shop.refresh(token), shop.refresh(token)).await;
    let mut statuses = [left.status, right.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn a_guessed_refresh_token_is_refused_and_ends_nothing() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let real = RefreshToken::parse(first["refresh_token"].as_str().unwrap()).unwrap();
    // The account and the session are right, both secrets are not.
    let mut guess = URL_SAFE_NO_PAD.decode(RefreshToken::first(user).text()).unwrap();
    guess[16..32].copy_from_slice(real.session.as_bytes());
    assert_eq!(shop.refresh(&json!(URL_SAFE_NO_PAD.encode(guess))).await.status, 401);
    assert_eq!(
        shop.refresh(&json!(RefreshToken::first(Uuid::now_v7()).text()))
            .await
            .status,
        401
    );
    // An access token is no refresh token.
    assert_eq!(shop.refresh(&first["access_token"]).await.status, 401);
    assert_eq!(shop.count(user, SESSIONS).await, 1);
    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn an_expired_session_is_over_and_swept() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let pool = shop.pools.of_user(user).unwrap().pool;
    sqlx::query("update user_sessions set expires_at = now()")
        .execute(pool.executor())
        .await
        .unwrap();
    assert_eq!(list(&shop, &first["access_token"]).await.body["items"], json!([]));
    store::sweep::sweep(&shop.pools, &pool).await.unwrap();
    assert_eq!(shop.count(user, SESSIONS).await, 0);
    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn refreshing_does_not_prolong_a_session_for_ever() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let pool = shop.pools.of_user(user).unwrap().pool;
    sqlx::query("update user_sessions set created_at = now() - interval '89 days'")
        .execute(pool.executor())
        .await
        .unwrap();
    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 200);
    let ends = "select count(*) from user_sessions where user_id = $1 and expires_at < now() + interval '2 days'";
    assert_eq!(shop.count(user, ends).await, 1);
}

#[tokio::test]
async fn a_customer_sees_and_ends_own_sessions() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let phone = ask("POST", "/api/v1/sessions")
        .header("user-agent", "phone/1")
        .json(body);
    let phone = phone.of(&shop.app).await.body;
    let known = list(&shop, &phone["access_token"]).await;
    assert_eq!(known.status, 200, "{known:?}");
    let items = known.body["items"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|item| (&item["id"], &item["current"], &item["user_agent"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&phone["session_id"], &json!(true), &json!("phone/1")),
            (&first["session_id"], &json!(false), &Value::Null)
        ]
    );
    let (_, other) = shop.neighbour(user).await;
    let path = format!("/api/v1/sessions/{}", first["session_id"].as_str().unwrap());
    assert_eq!(delete(&shop, &other["access_token"], &path).await, 404);
    assert_eq!(delete(&shop, &phone["access_token"], &path).await, 204);
    assert_eq!(delete(&shop, &phone["access_token"], &path).await, 404);
    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 401);

    assert_eq!(
        delete(&shop, &phone["access_token"], "/api/v1/sessions/current").await,
        204
    );
    assert_eq!(
        delete(&shop, &phone["access_token"], "/api/v1/sessions/current").await,
        204
    );
    assert_eq!(shop.refresh(&phone["refresh_token"]).await.status, 401);
    assert_eq!(shop.count(user, SESSIONS).await, 0);
    assert_eq!(shop.refresh(&other["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_this_account_only() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    shop.log_in("ada@example.com", PASSWORD).await;
    let (other, _) = shop.neighbour(user).await;
    assert_eq!(shop.count(user, SESSIONS).await, 2);
    assert_eq!(delete(&shop, &first["access_token"], "/api/v1/sessions").await, 204);
    assert_eq!(
        (shop.count(user, SESSIONS).await, shop.count(other, SESSIONS).await),
        (0, 1)
    );
}

/// The change has ended the other sessions and is not committed when the log-in, which has seen the old hash, begins its
/// own.
#[tokio::test]
async fn a_log_in_under_way_does_not_survive_the_change_of_its_password() {
    let shop = Shop::start().await;
    let (user, _) = shop.customer("ada@example.com").await;
    let pool = shop.pools.of_user(user).unwrap().pool;
    let mut change = pool.begin().await.unwrap();
    for statement in [
        "update users set password_hash = 'another' where id = $1",
        "delete from user_sessions where user_id = $1",
    ] {
        sqlx::query(statement).bind(user).execute(&mut *change).await.unwrap();
    }
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let app = shop.app.clone();
    let late = tokio::spawn(async move { ask("POST", "/api/v1/sessions").json(body).of(&app).await });
    shop.until_it_waits(user, &late).await;
    change.commit().await.unwrap();
    assert_eq!(late.await.unwrap().status, 401);
    assert_eq!(shop.count(user, SESSIONS).await, 0);
}

#[tokio::test]
async fn an_account_keeps_its_fifty_latest_sessions() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let known = store::user::find(&shop.pools, user).await.unwrap().unwrap();
    for _ in 0..50 {
        let token = RefreshToken::first(user);
        assert!(store::session::begin(&shop.pools, &token, None, &known).await.unwrap());
    }
    assert_eq!(shop.count(user, SESSIONS).await, 50);
    assert_eq!(shop.refresh(&first["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn a_refresh_takes_up_a_new_role() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    let path = format!("/api/v1/users/{user}");
    let read = async |token: &Value| {
        let request = ask("GET", &path).token(token.as_str().unwrap());
        request.of(&shop.app).await.status
    };
    assert_eq!(read(&first["access_token"]).await, 403);
    assert!(store::role::set(&shop.pools, user, Role::Support).await.unwrap());
    let second = shop.refresh(&first["refresh_token"]).await.body;
    assert_eq!(read(&second["access_token"]).await, 200);
}
