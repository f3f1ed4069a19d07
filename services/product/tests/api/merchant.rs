//! What merchants do: make, change, price and remove products; every field of every body may be wrong.

use crate::catalogue::{Answer, Catalogue};
use serde_json::{Value, json};
use shop_contract::api::Role;
use std::time::Duration;
use uuid::Uuid;

fn kettle() -> Value {
    json!({"name": "Kettle", "description": "Boils.\nQuickly.", "category": "kettles", "brand": "Alder",
        "attributes": {"colour": "blue"}, "price_cents": 2_400, "currency": "EUR"})
}

async fn shop() -> Catalogue {
    let shop = Catalogue::uncached().await;
    for (slug, body) in [
        ("kitchen", json!({"name": "Kitchen"})),
        ("kettles", json!({"name": "Kettles", "parent": "kitchen"})),
    ] {
        let put = shop.send("PUT", &format!("/api/v1/categories/{slug}"), body).await;
        assert_eq!(put.status, 204, "{put:?}");
    }
    shop
}

#[tokio::test]
async fn a_product_lives_from_creation_to_removal() {
    let shop = shop().await;
    let made = shop.send("POST", "/api/v1/products", kettle()).await;
    assert_eq!((made.status, &made.body["version"]), (201, &json!(1)), "{made:?}");
    let path = made.location.unwrap();
    assert_eq!(shop.get(&path).await.1, made.body);
    let changed = shop
        .send("PATCH", &path, json!({"name": "Pot", "attributes": {"size": "1 l"}}))
        .await;
    assert_eq!(
        (changed.status, &changed.body["brand"], &changed.body["version"]),
        (200, &json!("Alder"), &json!(2))
    );
    assert_eq!(
        (&changed.body["name"], &changed.body["attributes"]),
        (&json!("Pot"), &json!({"size": "1 l"}))
    );
    let priced = shop
        .send(
            "PUT",
            &format!("{path}/price"),
            json!({"price_cents": 1, "currency": "USD"}),
        )
        .await;
    assert_eq!((priced.status, &priced.body["currency"]), (200, &json!("USD")));
    let hidden = shop.send("PATCH", &path, json!({"listed": false})).await;
    assert_eq!(hidden.status, 200);
    assert_eq!(shop.get("/api/v1/products").await.1["items"], json!([]));
    assert_eq!(shop.get(&path).await.0, 200);
    let removed = shop.ask("DELETE", &path, Some(Role::Merchant), None, &[]).await;
    assert_eq!(removed.status, 204);
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("DELETE", path.clone(), None),
        ("PATCH", path.clone(), Some(json!({"listed": true}))),
        (
            "PUT",
            format!("{path}/price"),
            Some(json!({"price_cents": 1, "currency": "EUR"})),
        ),
        (
            "POST",
            format!("{path}/images"),
            Some(json!({"content_type": "image/png", "bytes": 1})),
        ),
    ] {
        let gone = shop.ask(method, &path, Some(Role::Merchant), body, &[]).await;
        assert_eq!(gone.status, 404, "{method} {path}: {gone:?}");
    }
    let events: i64 = sqlx::query_scalar("select count(*) from product_outbox where kind = 'product.changed'")
        .fetch_one(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(events, 5);
}

#[tokio::test]
async fn a_repeated_creation_makes_one_product() {
    let shop = shop().await;
    let post = |key: &'static str, body: Value| {
        let shop = &shop;
        async move {
            let headers = [("idempotency-key", key)];
            shop.ask("POST", "/api/v1/products", Some(Role::Merchant), Some(body), &headers)
                .await
        }
    };
    let first = post("one", kettle()).await;
    let again = post("one", kettle()).await;
    assert_eq!(
        (first.status, first.replayed, again.status, again.replayed),
        (201, false, 201, true)
    );
    assert_eq!((&first.body, &first.location), (&again.body, &again.location));
    let mut other = kettle();
    other["price_cents"] = json!(1);
    let other = post("one", other).await;
    assert_eq!(
        (other.status, &other.body["type"]),
        (422, &json!("urn:shop:problem:idempotency-key-reused"))
    );
    // What was refused leaves the key free.
    let mut unknown = kettle();
    unknown["category"] = json!("teapots");
    assert_eq!(post("two", unknown).await.status, 422);
    assert_eq!(post("two", kettle()).await.status, 201);
    let products: i64 = sqlx::query_scalar("select count(*) from products where listed")
        .fetch_one(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(products, 2);
}

#[tokio::test]
async fn a_creation_that_failed_leaves_its_key_free() {
    let shop = shop().await;
    let refuse = "create function refuse() returns trigger language plpgsql as $$ begin raise 'on purpose'; end $$; \
                  create trigger refuse before insert on products execute function refuse()";
    sqlx::raw_sql(refuse).execute(shop.pool.executor()).await.unwrap();
    assert_eq!(create_under(&shop, "key").await.status, 500);
    let allow = "drop trigger refuse on products";
    sqlx::raw_sql(allow).execute(shop.pool.executor()).await.unwrap();
    let again = create_under(&shop, "key").await;
    assert_eq!((again.status, again.replayed), (201, false), "{again:?}");
}

#[tokio::test]
async fn a_creation_ends_though_its_client_left() {
    let shop = shop().await;
    let mut other = shop.pool.begin().await.unwrap();
    sqlx::query("lock table products").execute(&mut *other).await.unwrap();
    let left = tokio::time::timeout(Duration::from_secs(1), create_under(&shop, "key")).await;
    assert!(left.is_err(), "{left:?}");
    other.rollback().await.unwrap();
    let again = loop {
        match create_under(&shop, "key").await {
            again if again.status == 409 => tokio::time::sleep(Duration::from_millis(50)).await,
            again => break again,
        }
    };
    assert_eq!((again.status, again.replayed), (201, true), "{again:?}");
}

async fn create_under(shop: &Catalogue, key: &str) -> Answer {
    let headers = [("idempotency-key", key)];
    shop.ask(
        "POST",
        "/api/v1/products",
        Some(Role::Merchant),
        Some(kettle()),
        &headers,
    )
    .await
}

/// A field and values it must not have.
type Wrong = (&'static str, Vec<Value>);

#[tokio::test]
async fn every_field_of_every_body_may_be_wrong() {
    let shop = shop().await;
    let id = shop.create(json!({})).await;
    let long = "x".repeat(6_000);
    let many: serde_json::Map<String, Value> = (0..31).map(|n| (format!("k{n}"), json!("v"))).collect();
    let product = [
        (
            "name",
            vec![
                json!(""),
                json!("  "),
                json!("a\nb"),
                json!(&long),
                json!("\u{0}"),
                json!(7),
            ],
        ),
        ("description", vec![json!(&long), json!("\u{0}"), json!([])]),
        (
            "category",
            vec![json!("Kettles"), json!("no-such"), json!(""), json!("a--b"), json!(1)],
        ),
        ("brand", vec![json!(""), json!(&long), json!({})]),
        (
            "attributes",
            vec![
                json!({"Colour": "x"}),
                json!({"": "x"}),
                json!({"colour": ""}),
                json!({"colour": &long}),
                json!({"colour": 1}),
                json!(Value::Object(many)),
                json!("x"),
                json!({"colour": "\u{0}"}),
            ],
        ),
        ("listed", vec![json!("yes"), json!(0)]),
    ];
    let price = [
        (
            "price_cents",
            vec![json!(-1), json!(100_000_001), json!(1.5), json!("1"), json!(1e30)],
        ),
        (
            "currency",
            vec![json!("eur"), json!("EURO"), json!(""), json!("E\u{0}R"), json!(978)],
        ),
    ];
    let category = [
        ("name", vec![json!(""), json!(&long), json!(1)]),
        ("parent", vec![json!("nowhere"), json!("kettles"), json!("_"), json!(1)]),
    ];
    let image = [
        ("content_type", vec![json!("text/html"), json!(""), json!(1)]),
        ("bytes", vec![json!(0), json!(-1), json!(10_485_761), json!("1")]),
    ];
    let unknown = [("else", vec![json!(1)])];
    let path = format!("/api/v1/products/{id}");
    let bodies: Vec<(&str, String, Value, Vec<Wrong>)> = vec![
        (
            "POST",
            "/api/v1/products".into(),
            kettle(),
            [&product[..], &price, &unknown].concat(),
        ),
        ("PATCH", path.clone(), json!({}), [&product[..], &unknown].concat()),
        (
            "PUT",
            format!("{path}/price"),
            json!({"price_cents": 1, "currency": "EUR"}),
            [&price[..], &unknown].concat(),
        ),
        (
            "PUT",
            "/api/v1/categories/pots".into(),
            json!({"name": "Pots"}),
            [&category[..], &unknown].concat(),
        ),
        (
            "POST",
            format!("{path}/images"),
            json!({"content_type": "image/png", "bytes": 1}),
            [&image[..], &unknown].concat(),
        ),
    ];
    for (method, path, good, fields) in bodies {
        for (field, values) in fields {
            for value in values {
                let mut bad = good.clone();
                bad[field] = value;
                let answer = shop.send(method, &path, bad.clone()).await;
                assert_eq!(answer.status, 422, "{method} {path} {bad}: {answer:?}");
                let pointer = answer.body["errors"][0]["pointer"].as_str().unwrap();
                let shown = format!("{pointer} of {bad}: {answer:?}");
                assert!(pointer.starts_with(&format!("/{field}")) || field == "else", "{shown}");
            }
        }
        for odd in [json!(null), json!([]), json!("text"), json!(1)] {
            assert_eq!(shop.send(method, &path, odd).await.status, 422);
        }
    }
    assert_eq!(shop.get(&path).await.1["version"], json!(1));
}

#[tokio::test]
async fn the_tree_of_categories_has_two_levels() {
    let shop = shop().await;
    let put = |slug: &'static str, body: Value| {
        let shop = &shop;
        async move {
            shop.send("PUT", &format!("/api/v1/categories/{slug}"), body)
                .await
                .status
        }
    };
    assert_eq!(
        put("mini-kettles", json!({"name": "Mini", "parent": "kettles"})).await,
        422
    );
    assert_eq!(put("kitchen", json!({"name": "K", "parent": "kitchen"})).await, 422);
    assert_eq!(put("home", json!({"name": "Home"})).await, 204);
    assert_eq!(put("kitchen", json!({"name": "Kitchen", "parent": "home"})).await, 409);
    assert_eq!(
        put("kettles", json!({"name": "Tea kettles", "parent": "home"})).await,
        204
    );
    assert_eq!(put("Kettles", json!({"name": "Kettles"})).await, 404);
    let (status, tree) = shop.get("/api/v1/categories").await;
    let kettles = json!([{"slug": "kettles", "name": "Tea kettles"}]);
    let expected = json!({"items": [
        {"slug": "home", "name": "Home", "children": kettles},
        {"slug": "kitchen", "name": "Kitchen", "children": []},
    ]});
    assert_eq!((status, tree), (200, expected));
}

#[tokio::test]
async fn images_are_refused_clearly_until_there_is_a_store() {
    let shop = shop().await;
    let id = shop.create(json!({})).await;
    let image = json!({"content_type": "image/webp", "bytes": 1_000});
    let refused = shop
        .send("POST", &format!("/api/v1/products/{id}/images"), image.clone())
        .await;
    let kind = json!("urn:shop:problem:object-storage-not-configured");
    assert_eq!((refused.status, &refused.body["type"]), (409, &kind));
    let unknown = shop
        .send("POST", &format!("/api/v1/products/{}/images", Uuid::now_v7()), image)
        .await;
    assert_eq!(unknown.status, 404);
}
