//! Counts of more products than anybody waits for.

use crate::catalogue::Catalogue;
use serde_json::{Value, json};

/// Counting a million products takes longer than anybody waits.
#[tokio::test]
async fn counts_of_very_many_products_are_estimated_from_a_sample() {
    let shop = Catalogue::uncached().await;
    for statement in [
        "insert into products (id, name, description, price_cents, currency, brand, attributes) \
         select gen_random_uuid(), 'Cup ' || n, 'Holds tea.', 100 * n, 'EUR', 'Brand ' || n % 4, \
         case when n % 500 = 0 then '{\"rare\": \"yes\"}' else '{\"rare\": \"no\"}' end::jsonb \
         from generate_series(1, 60000) as n",
        "analyze products",
    ] {
        sqlx::query(statement).execute(shop.pool.executor()).await.unwrap();
    }
    let facets =
        async |query: &str| shop.get(&format!("/api/v1/products?facets=true{query}")).await.1["facets"].clone();
    let near = |count: &Value, expected: f64| {
        let count = count.as_f64().unwrap();
        assert!(
            (count / expected - 1.0).abs() < 0.1,
            "{count} instead of about {expected}"
        );
    };
    let all = facets("").await;
    assert_eq!(all["estimated"], json!(true), "{all}");
    near(&all["total"], 60_000.0);
    near(&all["brands"][0]["count"], 15_000.0);
    near(&all["attributes"]["rare"][0]["count"], 59_880.0);
    let some = facets("&attributes=rare:yes").await;
    assert_eq!(
        (&some["total"], &some["estimated"]),
        (&json!(120), &Value::Null),
        "{some}"
    );
}
