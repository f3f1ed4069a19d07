//! What a customer sees of the user service, over two real shards.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod shop;

use serde_json::{Value, json};
use shop::{KEY, Shop, post};
use uuid::Uuid;

fn id_of(body: &Value) -> Uuid {
    body["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_user_registers_logs_in_and_is_known() {
    let shop = Shop::start().await;
    let made = shop.register("  Ada@Example.com ").await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.body["email"], &made.body["name"]),
        (&json!("ada@example.com"), &json!("Ada"))
    );
    let id = id_of(&made.body);
    let expected = shop.pools.of_user(id).unwrap().index;
    assert_eq!(shop.shards_of(id).await, [expected]);

    let session = shop.log_in("ADA@example.com", "correct horse").await;
    assert_eq!(session.status, 200, "{session:?}");
    assert_eq!(
        (&session.body["token_type"], &session.body["user_id"]),
        (&json!("Bearer"), &made.body["id"])
    );
    let me = shop.me(session.body["access_token"].as_str().unwrap()).await;
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
    }
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(shop.log_in("no address", "wrong horse").await.status, 401);
}

#[tokio::test]
async fn an_address_registers_once_however_many_try() {
    let shop = Shop::start().await;
    let answers = futures::future::join_all((0..6).map(|_| shop.register("ada@example.com"))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    assert_eq!(shop.log_in("ada@example.com", "correct horse").await.status, 200);
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
    assert_eq!(shop.log_in(&email, "correct horse").await.status, 401);
    let made = shop.register(&email).await;
    assert_eq!((made.status, id_of(&made.body)), (201, user));
    assert_eq!(shop.shards_of(user).await, [1]);
    assert_eq!(shop.register(&email).await.status, 409);
}

#[tokio::test]
async fn only_the_operator_chooses_ids() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(1);
    let body = json!({"email": "synthetic-1@shop.invalid", "password": "correct horse", "name": "Test", "id": user});
    let without = post(&shop.app, "/api/v1/users", None, body.clone()).await;
    assert_eq!(
        (without.status, &without.body["errors"][0]["pointer"]),
        (422, &json!("/id"))
    );
    assert_eq!(
        post(&shop.app, "/api/v1/users", Some("wrong"), body.clone())
            .await
            .status,
        403
    );
    let made = post(&shop.app, "/api/v1/users", Some(KEY), body.clone()).await;
    assert_eq!((made.status, id_of(&made.body)), (201, user), "{made:?}");
    assert_eq!(shop.shards_of(user).await, [1]);
    assert_eq!(post(&shop.app, "/api/v1/users", Some(KEY), body).await.status, 409);

    let synthetic: bool = sqlx::query_scalar("select synthetic from users where id = $1")
        .bind(user)
        .fetch_one(shop.pools.get(1).unwrap().pool.executor())
        .await
        .unwrap();
    assert!(synthetic);
    assert_eq!(
        shop.log_in("synthetic-1@shop.invalid", "correct horse").await.status,
        200
    );
}

#[tokio::test]
async fn bad_input_names_every_field() {
    let shop = Shop::start().await;
    let good = || json!({"email": "ada@example.com", "password": "correct horse", "name": "Ada"});
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    let long = "a".repeat(129);
    let table = [
        (
            json!({"email": "x", "password": "short", "name": " "}),
            vec!["/email", "/name", "/password"],
        ),
        (with("email", json!("")), vec!["/email"]),
        (with("email", json!(7)), vec!["/email"]),
        (with("email", json!("ada@localhost")), vec!["/email"]),
        (with("password", json!("1234567")), vec!["/password"]),
        (with("password", json!(long)), vec!["/password"]),
        (with("password", Value::Null), vec!["/password"]),
        (with("name", json!("a\nb")), vec!["/name"]),
        (with("name", json!(long)), vec!["/name"]),
        (with("id", json!("seven")), vec!["/id"]),
        (with("id", json!(Uuid::now_v7())), vec!["/id"]),
        (with("role", json!("admin")), vec!["/role"]),
        (json!({"email": "ada@example.com"}), vec![""]),
        (json!([]), vec![""]),
    ];
    for (body, pointers) in table {
        let answer = post(&shop.app, "/api/v1/users", None, body.clone()).await;
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let got: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!((answer.status, got), (422, pointers), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused() {
    let shop = Shop::start().await;
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(shop.me(token).await.status, 401, "{token}");
    }
    let foreign = shop_kit_token::Signer::from_seed("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let token = foreign.sign(&shop_kit_token::Claims::new(Uuid::now_v7(), false, now));
    assert_eq!(shop.me(&token).await.status, 401);
}

#[tokio::test]
async fn a_lost_shard_is_named_and_stops_nobody_else() {
    let shop = Shop::start().await;
    let app = shop.without(1).await;
    let body = |email: String, id: Uuid| json!({"email": email, "password": "correct horse", "name": "Ada", "id": id});
    let here = body(shop.two.email_in(0), shop.two.user_in(0));
    assert_eq!(post(&app, "/api/v1/users", Some(KEY), here).await.status, 201);
    let there = post(
        &app,
        "/api/v1/users",
        Some(KEY),
        body(shop.two.email_in(0), shop.two.user_in(1)),
    )
    .await;
    assert_eq!(
        (there.status, &there.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{there:?}"
    );
    let email = shop.two.email_in(1);
    let login = post(
        &app,
        "/api/v1/sessions",
        None,
        json!({"email": email, "password": "correct horse"}),
    )
    .await;
    assert_eq!(
        (login.status, &login.body["tier"]),
        (503, &json!("postgres/orders/1")),
        "{login:?}"
    );
}
