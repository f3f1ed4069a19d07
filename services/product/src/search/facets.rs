//! Counts over everything a filter finds, in one statement that reads the matching rows once. Where the planner expects
//! more than can be read while a customer waits, only some of the table's pages are read and the counts are what that
//! sample stands for.

use super::postgres::LIMIT;
use super::{Filter, filter};
use serde_json::Value;
use shop_contract::api::product::{FacetCount, Facets, PriceBand};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder, Row};

/// Values shown per property.
const SHOWN: usize = 20;
/// Properties and values read at most, of attributes anybody may have made up.
const READ: usize = 1_000;
/// Products counted one by one; of more, about as many make up the sample.
const COUNTED: f64 = 50_000.0;
/// Where price bands begin, in cents.
const BANDS: [i64; 8] = [0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000];

pub(super) async fn count(pool: Pool, filter: Filter) -> Result<Facets, StoreError> {
    let mut transaction = pool.begin_brief(LIMIT).await?;
    let store = |error: sqlx::Error| pool.error(&error);
    let expected = expected(&mut transaction, &filter).await.map_err(store)?;
    let share = (expected > COUNTED).then_some(COUNTED / expected);
    let counted = read(&mut transaction, &filter, share).await.map_err(store)?;
    let mut facets = sorted(counted);
    if let Some(share) = share {
        facets.estimated = true;
        scale(&mut facets, 1.0 / share);
    }
    Ok(facets)
}

/// How many products the planner expects a filter to find.
async fn expected(transaction: &mut PgConnection, filter: &Filter) -> Result<f64, sqlx::Error> {
    let mut statement = QueryBuilder::new("explain (format json) select from products");
    filter::push(&mut statement, filter);
    let Json(plan): Json<Value> = statement.build_query_scalar().fetch_one(transaction).await?;
    let rows = plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64);
    rows.ok_or_else(|| sqlx::Error::Decode("a plan without a number of rows".into()))
}

/// `share` of the table's pages; all that match without it.
async fn read(
    transaction: &mut PgConnection,
    filter: &Filter,
    share: Option<f64>,
) -> Result<Vec<Counted>, sqlx::Error> {
    let mut statement = QueryBuilder::new(
        "with matching as materialized (select category, brand, attributes, price_cents from products",
    );
    if let Some(share) = share {
        statement
            .push(" tablesample system (")
            .push_bind(share * 100.0)
            .push(")");
    }
    filter::push(&mut statement, filter);
    statement.push(format!(
        ") select 'total' as facet, '' as key, '' as value, count(*) as count from matching \
         union all (select 'category', '', category, count(*) from matching where category is not null \
             group by category order by 4 desc, 3 limit {SHOWN}) \
         union all (select 'brand', '', brand, count(*) from matching where brand is not null \
             group by brand order by 4 desc, 3 limit {SHOWN}) \
         union all (select 'attribute', attribute.key, attribute.value, count(*) \
             from matching, jsonb_each_text(attributes) as attribute \
             group by attribute.key, attribute.value order by 4 desc, 2, 3 limit {READ}) \
         union all (select 'price', '', width_bucket(price_cents, "
    ));
    statement
        .push_bind(BANDS.to_vec())
        .push(")::text, count(*) from matching group by 3)");
    let rows = statement.build().fetch_all(transaction).await?;
    let counts = rows.iter().map(|row| {
        Ok(Counted {
            facet: row.try_get("facet")?,
            key: row.try_get("key")?,
            value: row.try_get("value")?,
            count: row.try_get("count")?,
        })
    });
    counts.collect()
}

struct Counted {
    facet: String,
    key: String,
    value: String,
    count: i64,
}

/// Rows come most frequent first within each facet, and so they stay.
fn sorted(counted: Vec<Counted>) -> Facets {
    let mut facets = Facets::default();
    for Counted {
        facet,
        key,
        value,
        count,
    } in counted
    {
        match facet.as_str() {
            "total" => facets.total = count,
            "category" => facets.categories.push(FacetCount { value, count }),
            "brand" => facets.brands.push(FacetCount { value, count }),
            "price" => facets.prices.extend(band(&value, count)),
            _ => {
                let values = facets.attributes.entry(key).or_default();
                if values.len() < SHOWN {
                    values.push(FacetCount { value, count });
                }
            }
        }
    }
    facets.prices.sort_by_key(|band| band.from_cents);
    facets
}

/// What a sample's counts stand for.
fn scale(facets: &mut Facets, factor: f64) {
    let scaled = |count: &mut i64| *count = (*count as f64 * factor).round() as i64;
    scaled(&mut facets.total);
    let lists = [&mut facets.categories, &mut facets.brands];
    let counts = lists.into_iter().chain(facets.attributes.values_mut()).flatten();
    counts.for_each(|entry| scaled(&mut entry.count));
    facets.prices.iter_mut().for_each(|band| scaled(&mut band.count));
}

/// `width_bucket` counts from 1; prices are never below the first band.
fn band(number: &str, count: i64) -> Option<PriceBand> {
    let number: usize = number.parse().ok()?;
    Some(PriceBand {
        from_cents: *BANDS.get(number.checked_sub(1)?)?,
        below_cents: BANDS.get(number).copied(),
        count,
    })
}
