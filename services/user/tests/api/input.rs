//! Bad input of every field of every body, and bodies that are none.

use crate::shop::{Shop, ask};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use shop_contract::api::Role;
use tower::ServiceExt;

/// An operation with a body that is right, and values each of its fields must not have.
struct Form {
    method: &'static str,
    path: String,
    good: Value,
    bad: Vec<(&'static str, Vec<Value>)>,
}

fn forms(user: uuid::Uuid) -> Vec<Form> {
    let long = |count: usize| json!("a".repeat(count));
    let line = |most: usize| vec![json!(""), json!("  "), json!("a\nb"), json!("a\u{0}b"), long(most + 1)];
    let address = json!({"recipient": "Ada", "line1": "Street 1", "line2": "left", "city": "Berlin", "region": "BE",
        "postal_code": "10115", "country": "DE"});
    let address_bad = vec![
        ("recipient", line(100)),
        ("line1", line(200)),
        ("line2", line(200)),
        ("city", line(100)),
        ("region", line(100)),
        ("postal_code", line(20)),
        (
            "country",
            vec![json!(""), json!("D"), json!("DEU"), json!("D1"), json!("ÄÖ")],
        ),
    ];
    let emails = [
        "",
        "ada",
        "ada@localhost",
        "a b@example.com",
        "a@b@example.com",
        "a\u{0}@example.com",
    ];
    let mut bad_emails: Vec<Value> = emails.map(Value::from).to_vec();
    bad_emails.push(json!(format!("{}@example.com", "a".repeat(250))));
    let form = |method, path: &str, good, bad| Form {
        method,
        path: path.to_owned(),
        good,
        bad,
    };
    vec![
        form(
            "POST",
            "/api/v1/users",
            json!({"email": "new@example.com", "password": "correct horse", "name": "Ada"}),
            vec![
                ("email", bad_emails),
                ("password", vec![json!("1234567"), long(129)]),
                ("name", line(100)),
                ("id", vec![json!("seven"), json!(uuid::Uuid::now_v7())]),
            ],
        ),
        form(
            "PATCH",
            "/api/v1/users/me",
            json!({"name": "Ada"}),
            vec![("name", line(100))],
        ),
        form(
            "PUT",
            "/api/v1/users/me/password",
            json!({"current_password": "correct horse", "new_password": "battery staple"}),
            vec![
                ("new_password", vec![json!("1234567"), long(129)]),
                ("current_password", vec![json!(""), json!("wrong horse"), long(2000)]),
            ],
        ),
        form(
            "POST",
            "/api/v1/users/me/addresses",
            address.clone(),
            address_bad.clone(),
        ),
        form(
            "PUT",
            &format!("/api/v1/users/{user}/role"),
            json!({"role": "support"}),
            vec![("role", vec![json!(""), json!("root"), json!("Admin")])],
        ),
        form(
            "POST",
            "/api/v1/sessions",
            json!({"email": "a@example.com", "password": "x"}),
            vec![],
        ),
        form(
            "POST",
            "/api/v1/sessions/refresh",
            json!({"refresh_token": "x"}),
            vec![],
        ),
    ]
}

/// Values of a type no field here has.
fn other_types() -> Vec<Value> {
    vec![json!(7), json!(true), json!(["a"]), json!({"a": 1})]
}

#[tokio::test]
async fn every_field_of_every_body_is_checked() {
    let shop = Shop::start().await;
    let (_, token) = shop.token_of(Role::Admin).await;
    let (user, _) = shop.customer("ada@example.com").await;
    for form in forms(user) {
        let send = async |body: Value| {
            let request = ask(form.method, &form.path).token(&token).json(body);
            request.of(&shop.app).await
        };
        let mut wrong: Vec<(String, Value)> = Vec::new();
        for field in form.good.as_object().unwrap().keys() {
            wrong.extend(other_types().into_iter().map(|value| (field.clone(), value)));
        }
        for (field, values) in &form.bad {
            wrong.extend(values.iter().map(|value| ((*field).to_owned(), value.clone())));
        }
        for (field, value) in wrong {
            let mut body = form.good.clone();
            body[&field] = value;
            let answer = send(body.clone()).await;
            let pointer = answer
                .pointers()
                .first()
                .map(|pointer| pointer.split('/').nth(1).unwrap_or_default());
            assert_eq!(
                (answer.status, pointer),
                (422, Some(field.as_str())),
                "{} {body}: {answer:?}",
                form.path
            );
        }
        let mut unknown = form.good.clone();
        unknown["surprise"] = json!(1);
        assert_eq!(send(unknown).await.pointers(), ["/surprise"], "{}", form.path);
        for shape in [json!([]), json!("text"), json!(7), Value::Null, json!({})] {
            assert_eq!(send(shape.clone()).await.status, 422, "{} {shape}", form.path);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_none_is_named() {
    let shop = Shop::start().await;
    let (_, token) = shop.token_of(Role::Admin).await;
    for form in forms(uuid::Uuid::now_v7()) {
        let send = async |kind: &str, body: Vec<u8>| {
            let request = Request::builder().method(form.method).uri(&form.path);
            let request = request
                .header("content-type", kind)
                .header("authorization", format!("Bearer {token}"));
            let answer = shop.app.clone().oneshot(request.body(Body::from(body)).unwrap()).await;
            answer.unwrap().status().as_u16()
        };
        let good = form.good.to_string().into_bytes();
        let oversize = json!({"name": "a".repeat(70_000)}).to_string().into_bytes();
        let got = [
            send("text/plain", good.clone()).await,
            send("application/json", b"{\"na".to_vec()).await,
            send("application/json", vec![0xff, 0xfe]).await,
            send("application/json", Vec::new()).await,
            send("application/json", oversize).await,
            send("application/json", [good, b"x".to_vec()].concat()).await,
        ];
        assert_eq!(got, [415, 400, 400, 400, 413, 400], "{} {}", form.method, form.path);
    }
}

#[tokio::test]
async fn all_fields_are_named_at_once() {
    let shop = Shop::start().await;
    let body = json!({"email": "x", "password": "short", "name": " "});
    let answer = ask("POST", "/api/v1/users").json(body).of(&shop.app).await;
    assert_eq!(answer.pointers(), ["/email", "/name", "/password"]);
}

#[tokio::test]
async fn bad_queries_and_ids_are_named() {
    let shop = Shop::start().await;
    let (_, token) = shop.token_of(Role::Admin).await;
    let unknown = uuid::Uuid::now_v7();
    for (path, status) in [
        ("/api/v1/sessions?limit=0".to_owned(), 400),
        ("/api/v1/sessions?limit=101".to_owned(), 400),
        ("/api/v1/sessions?limit=many".to_owned(), 400),
        ("/api/v1/sessions?cursor=there".to_owned(), 400),
        ("/api/v1/sessions?offset=1".to_owned(), 400),
        ("/api/v1/users/me/addresses?limit=-1".to_owned(), 400),
        (format!("/api/v1/users/me/addresses?cursor={}", "a".repeat(600)), 400),
        ("/api/v1/users/me/addresses/seven".to_owned(), 404),
        (format!("/api/v1/users/me/addresses/{unknown}"), 404),
        ("/api/v1/users/seven".to_owned(), 404),
        (format!("/api/v1/users/{unknown}"), 404),
        ("/api/v1/users/%00".to_owned(), 404),
        ("/api/v1/nothing".to_owned(), 404),
    ] {
        let answer = ask("GET", &path).token(&token).of(&shop.app).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (status, &json!(status)),
            "{path}: {answer:?}"
        );
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
