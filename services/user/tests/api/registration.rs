//! Registering and logging in.

use crate::shop::{KEY, PASSWORD, Shop, ask, id_of};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENTS: &str = "select count(*) from user_outbox where kind = 'user.registered' \
     and payload::json ->> 'user_id' = $1::text";

#[tokio::test]
async fn a_user_registers_logs_in_and_is_known() {
    let shop = Shop::start().await;
    let made = shop.register("  Ada@Example.com ").await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.body["email"], &made.body["name"], &made.body["role"]),
        (&json!("ada@example.com"), &json!("Ada"), &json!("customer"))
    );
    let id = id_of(&made.body);
    let expected = shop.pools.of_user(id).unwrap().index;
    assert_eq!(shop.shards_of(id).await, [expected]);
    assert_eq!(shop.count(id, EVENTS).await, 1);

    let session = shop.log_in("ADA@example.com", PASSWORD).await;
    assert_eq!(session.status, 200, "{session:?}");
    assert_eq!(session.headers["cache-control"], "no-store");
    let body = &session.body;
    assert_eq!(
        (&body["token_type"], &body["user_id"], &body["expires_in"]),
        (&json!("Bearer"), &made.body["id"], &json!(900))
    );
    let me = shop.me(body["access_token"].as_str().unwrap()).await;
    assert_eq!((me.status, &me.body), (200, &made.body));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_one_answer() {
    let shop = Shop::start().await;
    assert_eq!(shop.register("ada@example.com").await.status, 201);
    let mut wrong = shop.log_in("ada@example.com", "wrong horse").await;
    let mut unknown = shop.log_in("bob@example.com", "wrong horse").await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    for answer in [&mut wrong, &mut unknown] {
        answer.body["request_id"] = Value::Null;
        answer.headers.remove("x-request-id");
    }
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.headers, unknown.headers);
    assert_eq!(shop.log_in("no address", "wrong horse").await.status, 401);
    assert_eq!(shop.log_in("ada@example.com", &"a".repeat(1025)).await.status, 401);
}

/// With the shard of unknown accounts lost, an unknown address fails as a known one in it would: each costs a look-up in
/// the account's shard.
#[tokio::test]
async fn an_unknown_address_costs_the_same_look_ups() {
    let shop = Shop::start().await;
    let app = shop.without(1).await;
    let mut statuses = Vec::new();
    for _ in 0..16 {
        let body = json!({"email": shop.two.email_in(0), "password": PASSWORD});
        statuses.push(ask("POST", "/api/v1/sessions").json(body).of(&app).await.status);
    }
    assert!(statuses.contains(&401) && statuses.contains(&503), "{statuses:?}");
}

#[tokio::test]
async fn an_address_registers_once_however_many_try() {
    let shop = Shop::start().await;
    let answers = futures::future::join_all((0..6).map(|_| shop.register("ada@example.com"))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    let id = answers
        .iter()
        .find(|answer| answer.status == 201)
        .map(|answer| id_of(&answer.body));
    assert_eq!(shop.count(id.unwrap(), EVENTS).await, 1);
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_registration_that_was_cut_short_is_finished_by_the_next() {
    let shop = Shop::start().await;
    let (email, user) = (shop.two.email_in(0), shop.two.user_in(1));
    let directory = shop.pools.of_key(email.as_bytes()).unwrap();
    sqlx::query("insert into user_emails (email, user_id) values ($1, $2)")
        .bind(&email)
        .bind(user)
        .execute(directory.pool.executor())
        .await
        .unwrap();
    assert_eq!(shop.log_in(&email, PASSWORD).await.status, 401);
    let made = shop.register(&email).await;
    assert_eq!((made.status, id_of(&made.body)), (201, user));
    assert_eq!(shop.shards_of(user).await, [1]);
    assert_eq!(shop.register(&email).await.status, 409);
}

#[tokio::test]
async fn a_repeated_registration_gets_the_first_answer() {
    let shop = Shop::start().await;
    let register = async |name: &str, password: &str, key: &str| {
        let body = json!({"email": "ada@example.com", "password": password, "name": name});
        let request = ask("POST", "/api/v1/users").header("idempotency-key", key).json(body);
        request.of(&shop.app).await
    };
    let first = register("Ada", PASSWORD, "k").await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = register("Ada", PASSWORD, "k").await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    for (name, password) in [("Bob", PASSWORD), ("Ada", "wrong horse")] {
        let other = register(name, password, "k").await;
        assert_eq!(
            (other.status, other.kind()),
            (422, "idempotency-key-reused"),
            "{other:?}"
        );
    }
    assert_eq!(register("Ada", PASSWORD, "l").await.status, 409);
    assert_eq!(register("Ada", PASSWORD, "not visible").await.status, 400);
    assert_eq!(shop.count(id_of(&first.body), EVENTS).await, 1);
}

#[tokio::test]
async fn a_registration_is_finished_though_its_client_hangs_up() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let body = json!({"email": "synthetic-1@shop.invalid", "password": PASSWORD, "name": "Test", "id": user});
    let request = || {
        let request = ask("POST", "/api/v1/users").header("x-shop-synthetic", KEY);
        request.header("idempotency-key", "k").json(body.clone())
    };
    let pool = shop.pools.of_user(user).unwrap().pool;
    let mut slow = pool.begin().await.unwrap();
    sqlx::query("lock table users in share mode")
        .execute(&mut *slow)
        .await
        .unwrap();
    let (first, app) = (request(), shop.app.clone());
    let hangs_up = tokio::spawn(async move { first.of(&app).await });
    shop.until_it_waits(user, &hangs_up).await;
    hangs_up.abort();
    assert!(hangs_up.await.unwrap_err().is_cancelled());
    slow.commit().await.unwrap();
    shop.until_one(user, "select count(*) from users where id = $1").await;
    let again = request().of(&shop.app).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn only_the_operator_chooses_ids() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let body = json!({"email": "synthetic-1@shop.invalid", "password": PASSWORD, "name": "Test", "id": user});
    let register = async |key: Option<&str>| {
        let request = ask("POST", "/api/v1/users").json(body.clone());
        let request = key.map_or(ask("POST", "/api/v1/users").json(body.clone()), |key| {
            request.header("x-shop-synthetic", key)
        });
        request.of(&shop.app).await
    };
    let without = register(None).await;
    assert_eq!((without.status, without.pointers()), (422, vec!["/id"]));
    assert_eq!(register(Some("wrong")).await.status, 403);
    let made = register(Some(KEY)).await;
    assert_eq!((made.status, id_of(&made.body)), (201, user), "{made:?}");
    assert_eq!(shop.shards_of(user).await, [1]);
    assert_eq!(register(Some(KEY)).await.status, 409);
    let synthetic = "select count(*) from users where synthetic and id = $1";
    assert_eq!(shop.count(user, synthetic).await, 1);
    assert_eq!(shop.log_in("synthetic-1@shop.invalid", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_lost_shard_is_named_and_stops_nobody_else() {
    let shop = Shop::start().await;
    let app = shop.without(1).await;
    let register = async |email: String, id: Uuid| {
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada", "id": id});
        let request = ask("POST", "/api/v1/users").header("x-shop-synthetic", KEY).json(body);
        request.of(&app).await
    };
    let here = register(shop.two.email_in(0), shop.two.user_in(0)).await;
    assert_eq!(here.status, 201, "{here:?}");
    let there = register(shop.two.email_in(0), shop.two.user_in(1)).await;
    assert_eq!(
        (there.status, &there.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{there:?}"
    );
    let body = json!({"email": shop.two.email_in(1), "password": PASSWORD});
    let login = ask("POST", "/api/v1/sessions").json(body).of(&app).await;
    assert_eq!(
        (login.status, &login.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{login:?}"
    );
}
