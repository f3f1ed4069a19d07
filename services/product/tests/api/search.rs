//! Lists and searches: ranking, filters, facets, pages, replicas.

use crate::catalogue::{Catalogue, PATIENCE, TIER, database, insert, nowhere};
use serde_json::{Value, json};
use shop_kit_postgres::Pool;
use shop_product::job::seed::seed;
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

async fn names(shop: &Catalogue, query: &str) -> Vec<String> {
    let (status, page) = shop.get(&format!("/api/v1/products?{query}")).await;
    assert_eq!(status, 200, "{query}: {page}");
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn shop() -> Catalogue {
    let shop = Catalogue::uncached().await;
    for (slug, body) in [
        ("kitchen", json!({"name": "Kitchen"})),
        ("kettles", json!({"name": "Kettles", "parent": "kitchen"})),
        ("lamps", json!({"name": "Lamps"})),
    ] {
        shop.send("PUT", &format!("/api/v1/categories/{slug}"), body).await;
    }
    for (name, description, category, brand, colour, cents) in [
        ("Steel Kettle", "Boils water.", "kettles", "Alder", "blue", 3_000),
        ("Tea Pot", "Goes with any kettle.", "kettles", "Alder", "white", 2_000),
        ("Desk Lamp", "Lights a desk.", "lamps", "Birch", "blue", 5_000),
        ("Pan", "Fries.", "kitchen", "Birch", "black", 4_000),
    ] {
        shop.create(
            json!({"name": name, "description": description, "category": category, "brand": brand,
            "attributes": {"colour": colour}, "price_cents": cents}),
        )
        .await;
    }
    shop
}

#[tokio::test]
async fn words_find_their_forms_and_names_come_before_descriptions() {
    let shop = shop().await;
    assert_eq!(names(&shop, "q=kettles&sort=relevance").await.len(), 2);
    assert_eq!(names(&shop, "q=kettle").await[0], "Steel Kettle");
    assert_eq!(names(&shop, "q=kettle%20-steel").await, ["Tea Pot"]);
    assert_eq!(names(&shop, "q=%22desk%20lamp%22").await, ["Desk Lamp"]);
    assert_eq!(names(&shop, "q=lamp%20or%20pan").await.len(), 2);
    assert_eq!(names(&shop, "q=blue").await.len(), 2);
    for nothing in ["q=nothing", "q=the", "q=%21%21", "q=%27%3B--"] {
        assert!(names(&shop, nothing).await.is_empty(), "{nothing}");
    }
}

/// Such a search would rank the whole catalogue.
#[tokio::test]
async fn what_only_excludes_finds_nothing() {
    let shop = shop().await;
    for nothing in [
        "q=-steel",
        "q=the%20-steel",
        "q=-%22desk%20lamp%22",
        "q=kettle%20or%20-steel",
    ] {
        assert!(names(&shop, nothing).await.is_empty(), "{nothing}");
        let (_, page) = shop.get(&format!("/api/v1/products?{nothing}&facets=true")).await;
        assert_eq!(page["facets"]["total"], json!(0), "{nothing}");
    }
}

#[tokio::test]
async fn filters_narrow_and_sorts_sort() {
    let shop = shop().await;
    assert_eq!(
        names(&shop, "category=kitchen&sort=price_asc").await,
        ["Tea Pot", "Steel Kettle", "Pan"]
    );
    assert_eq!(
        names(&shop, "category=kettles&sort=price_desc").await,
        ["Steel Kettle", "Tea Pot"]
    );
    assert_eq!(names(&shop, "brand=Birch").await, ["Pan", "Desk Lamp"]);
    assert_eq!(
        names(&shop, "brand=Birch,Alder&min_price=3000&max_price=4000").await,
        ["Pan", "Steel Kettle"]
    );
    assert_eq!(
        names(&shop, "attributes=colour:blue&brand=Alder").await,
        ["Steel Kettle"]
    );
    assert_eq!(names(&shop, "category=garden").await, [""; 0]);
    assert_eq!(names(&shop, "sort=newest").await[0], "Pan");
}

/// A client that escapes what a facet shows finds as many products as the facet counts.
#[tokio::test]
async fn whatever_a_facet_shows_can_be_filtered_by() {
    let shop = Catalogue::uncached().await;
    let odd = [
        "Müller, Söhne & Co.",
        "AC\\DC",
        "A\\",
        "B\\,C",
        ", ",
        " Alder ",
        "Alder",
        "a:b",
        "\u{a0}x\u{a0}",
    ];
    for value in odd {
        shop.create(json!({"brand": value, "attributes": {"made_by": value}}))
            .await;
    }
    let (_, page) = shop.get("/api/v1/products?facets=true").await;
    let all = |counts: &Value| -> Vec<String> {
        let values = counts.as_array().unwrap().iter();
        values
            .map(|count| count["value"].as_str().unwrap().to_owned())
            .collect()
    };
    let (brands, makers) = (
        all(&page["facets"]["brands"]),
        all(&page["facets"]["attributes"]["made_by"]),
    );
    assert_eq!((brands.len(), makers.len()), (odd.len(), odd.len()));
    for value in brands {
        let found = found_by(&shop, &format!("brand={}", escaped(&value))).await;
        assert_eq!(found, [value]);
    }
    for value in makers {
        let found = found_by(&shop, &format!("attributes=made_by:{}", escaped(&value))).await;
        assert_eq!(found, [value]);
    }
    let both = format!("brand={},{}&sort=newest", escaped("A\\"), escaped(", "));
    assert_eq!(found_by(&shop, &both).await, [", ", "A\\"]);
    // Lists as they were always written.
    assert_eq!(
        found_by(&shop, "brand=Alder,%20AC%5CDC%20,,&sort=newest").await,
        ["Alder", "AC\\DC"]
    );
}

/// As the description of the parameters says, and then as every client escapes a query.
fn escaped(value: &str) -> String {
    let special = |letter: char| letter == ',' || letter == '\\' || letter.is_whitespace();
    let escaped = value
        .chars()
        .flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter]));
    let escaped: String = escaped.collect();
    escaped.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The brands of what a list finds.
async fn found_by(shop: &Catalogue, query: &str) -> Vec<String> {
    let (status, page) = shop.get(&format!("/api/v1/products?{query}")).await;
    assert_eq!(status, 200, "{query}: {page}");
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["brand"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn facets_count_all_that_was_found() {
    let shop = shop().await;
    let (_, page) = shop.get("/api/v1/products?category=kitchen&facets=true&limit=1").await;
    let facets = &page["facets"];
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &facets["total"]),
        (1, &json!(3))
    );
    assert_eq!(
        facets["brands"],
        json!([{"value": "Alder", "count": 2}, {"value": "Birch", "count": 1}])
    );
    assert_eq!(facets["categories"][0], json!({"value": "kettles", "count": 2}));
    assert_eq!(facets["attributes"]["colour"].as_array().unwrap().len(), 3);
    let bands = json!([{"from_cents": 1_000, "below_cents": 2_500, "count": 1}, {"from_cents": 2_500, "below_cents": 5_000, "count": 2}]);
    assert_eq!(facets["prices"], bands);
    let (_, page) = shop.get("/api/v1/products").await;
    assert_eq!(page.get("facets"), None);
}

#[tokio::test]
async fn pages_hold_every_product_once_in_every_order() {
    let shop = Catalogue::uncached().await;
    assert_eq!(seed(&shop.pool, 60).await.unwrap(), 60);
    assert_eq!(seed(&shop.pool, 150).await.unwrap(), 90);
    let colour: i64 = sqlx::query_scalar("select count(*) from products where attributes->>'colour' = 'black'")
        .fetch_one(shop.pool.executor())
        .await
        .unwrap();
    for (query, expected) in [
        ("limit=7", 150),
        ("limit=100", 150),
        ("limit=30&sort=price_asc", 150),
        ("limit=31&sort=price_desc", 150),
        ("limit=11&sort=relevance", 150),
        ("limit=2&q=black", colour),
    ] {
        let (seen, prices) = all(&shop, query).await;
        let different: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(
            (seen.len() as i64, different.len() as i64),
            (expected, expected),
            "{query}"
        );
        if query.ends_with("price_asc") {
            assert!(prices.is_sorted(), "{prices:?}");
        }
    }
}

async fn all(shop: &Catalogue, query: &str) -> (Vec<String>, Vec<i64>) {
    let (mut seen, mut prices, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let (status, page) = shop.get(&format!("/api/v1/products?{query}{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        for item in page["items"].as_array().unwrap() {
            seen.push(item["id"].as_str().unwrap().to_owned());
            prices.push(item["price_cents"].as_i64().unwrap());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (seen, prices),
        }
    }
}

#[tokio::test]
async fn many_ids_come_in_the_order_asked() {
    let shop = Catalogue::cached().await;
    let (one, two) = (
        shop.create(json!({"name": "One"})).await,
        shop.create(json!({"name": "Two"})).await,
    );
    let (three, unknown) = (Uuid::now_v7(), Uuid::now_v7());
    shop.insert(three, "Three").await;
    for _ in 0..2 {
        let asked = names(&shop, &format!("ids={two},{unknown},{one},{three},{two}")).await;
        assert_eq!(asked, ["Two", "One", "Three"]);
    }
    let loads = shop.counter("shop_database_reads_total", &[("cache", "product")]);
    assert_eq!(loads, 1.0, "the third, once");
    let saved = shop.counter("shop_database_reads_saved_total", &[("cache", "product")]);
    assert_eq!(saved, 5.0);
}

#[tokio::test]
async fn bad_queries_are_400() {
    let shop = Catalogue::uncached().await;
    let ids = vec![Uuid::now_v7().to_string(); 1].join(",");
    let many: Vec<String> = (0..101).map(|_| Uuid::now_v7().to_string()).collect();
    let (long, many) = ("x".repeat(201), many.join(","));
    let other_order = "eyJwcmljZV9hc2MiOlsxLCIwMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiXX0";
    for query in [
        "limit=0",
        "limit=101",
        "limit=many",
        "limit=",
        "cursor=there",
        "cursor=",
        "offset=3",
        "sort=best",
        "facets=1",
        "min_price=-1",
        "max_price=-1",
        "min_price=x",
        "max_price=1.5",
        "category=Up",
        "category=%00",
        "q=%00",
        "brand=a%0Ab",
        "attributes=colour",
        "attributes=:x",
        "attributes=colour:",
        "attributes=Colour:x",
        "attributes=a:b,a:c",
        "ids=",
        "ids=7",
        "ids=a,b",
        &format!("q={long}"),
        &format!("brand={long}"),
        &format!("ids={many}"),
        &format!("ids={ids}&limit=3"),
        &format!("sort=newest&cursor={other_order}"),
    ] {
        let (status, body) = shop.get(&format!("/api/v1/products?{query}")).await;
        assert_eq!((status, &body["status"]), (400, &json!(400)), "{query}: {body}");
    }
    let (status, _) = shop
        .get(&format!("/api/v1/products?sort=price_asc&cursor={other_order}"))
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn first_pages_are_kept_for_a_moment_and_later_ones_are_not() {
    let shop = Catalogue::cached().await;
    let brand = format!("brand-{}", Uuid::now_v7());
    let query = format!("brand={brand}&limit=1");
    for name in ["One", "Two"] {
        shop.create(json!({"name": name, "brand": brand})).await;
    }
    assert_eq!(names(&shop, &query).await, ["Two"]);
    shop.create(json!({"name": "Three", "brand": brand})).await;
    assert_eq!(names(&shop, &query).await, ["Two"]);
    assert_eq!(names(&shop, &format!("brand={brand}&limit=2")).await, ["Three", "Two"]);
    let begun = std::time::Instant::now();
    while names(&shop, &query).await != ["Three"] {
        assert!(begun.elapsed() < PATIENCE, "the old page is still shown");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn lists_come_from_the_replica_and_from_the_primary_when_it_is_lost() {
    let replica = database().await;
    let shop = Catalogue::start_with(&nowhere(), "none", false, Some(replica.clone())).await;
    let id = shop.create(json!({"name": "On the primary"})).await;
    assert!(names(&shop, "").await.is_empty(), "the replica lags");
    // What is charged never comes from there.
    assert_eq!(shop.get(&format!("/api/v1/products/{id}")).await.0, 200);
    assert_eq!(names(&shop, &format!("ids={id}")).await, ["On the primary"]);
    replica.close().await;
    assert_eq!(names(&shop, "").await, ["On the primary"]);
    shop.pool.close().await;
    let (status, body): (u16, Value) = shop.get("/api/v1/products").await;
    assert_eq!((status, &body["tier"]), (503, &json!(TIER)));
}

/// From now on every search for words sleeps; nothing else does.
async fn make_searches_slow(pool: &Pool) {
    sqlx::raw_sql(
        "alter table products enable row level security; alter table products force row level security; \
         create policy slow on products using \
             (case when current_query() like '%websearch%' then pg_sleep(60) is not null else true end)",
    )
    .execute(pool.executor())
    .await
    .unwrap();
}

async fn asleep(pool: &Pool) -> i64 {
    let text = "select count(*) from pg_stat_activity \
                where datname = current_database() and state = 'active' and query like '%websearch_to%' \
                and pid <> pg_backend_pid()";
    sqlx::query_scalar(text).fetch_one(pool.executor()).await.unwrap()
}

#[tokio::test]
async fn a_search_that_takes_too_long_fails_alone() {
    let replica = database().await;
    let shop = Catalogue::start_with(&nowhere(), "none", false, Some(replica.clone())).await;
    shop.create(json!({"name": "On the primary"})).await;
    insert(&replica, Uuid::now_v7(), "On the replica").await;
    make_searches_slow(&replica).await;
    let (status, body) = shop.get("/api/v1/products?q=replica").await;
    assert_eq!(
        (status, &body["type"], &body["tier"]),
        (504, &json!("urn:shop:problem:too-slow"), &json!(TIER)),
        "{body}"
    );
    assert_eq!(names(&shop, "").await, ["On the replica"], "it is avoided");
}

/// Also when nobody waits for their answers any more.
#[tokio::test]
async fn slow_searches_leave_connections_for_everybody_else() {
    let shop = Catalogue::uncached().await;
    let id = shop.create(json!({"name": "Kettle"})).await;
    make_searches_slow(&shop.pool).await;
    let search = |number: usize| {
        let path = format!("/api/v1/products?q=kettle{number}");
        let shop = &shop;
        async move { shop.get(&path).await.0 }
    };
    for number in 0..8 {
        let left = tokio::time::timeout(Duration::from_millis(50), search(number)).await;
        assert!(left.is_err(), "{left:?}");
    }
    let searches = futures::future::join_all((0..8).map(search));
    let others = async {
        let (sold, asleep) = (names(&shop, &format!("ids={id}")).await, asleep(&shop.pool).await);
        assert!(sold == ["Kettle"] && asleep <= 2, "{sold:?}, {asleep} of 4 connections");
    };
    tokio::select! {
        biased;
        statuses = searches => panic!("the searches were answered first: {statuses:?}"),
        () = others => {}
    }
    assert_eq!(futures::future::join_all((0..8).map(search)).await, [504; 8]);
}
