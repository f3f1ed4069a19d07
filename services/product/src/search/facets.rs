//! Counts over everything a filter finds, in one statement that reads the matching rows once.

use super::postgres::LIMIT;
use super::{Filter, filter};
use shop_contract::api::product::{FacetCount, Facets, PriceBand};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{QueryBuilder, Row};

/// Values shown per property.
const SHOWN: usize = 20;
/// Properties and values read at most, of attributes anybody may have made up.
const READ: usize = 1_000;
/// Where price bands begin, in cents.
const BANDS: [i64; 8] = [0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000];

pub(super) async fn count(pool: Pool, filter: Filter) -> Result<Facets, StoreError> {
    let mut statement =
        QueryBuilder::new("with matching as materialized (select category, brand, attributes, price_cents");
    filter::push(&mut statement, &filter);
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
    let mut transaction = pool.begin_brief(LIMIT).await?;
    let rows = statement.build().fetch_all(&mut *transaction).await;
    let counted = rows.and_then(|rows| {
        let counts = rows.iter().map(|row| {
            let facet = (row.try_get("facet")?, row.try_get("key")?, row.try_get("value")?);
            Ok((facet, row.try_get("count")?))
        });
        counts.collect::<Result<Vec<((String, String, String), i64)>, sqlx::Error>>()
    });
    let counted = counted.map_err(|error| pool.error(&error))?;
    Ok(sorted(counted))
}

/// Rows come most frequent first within each facet, and so they stay.
fn sorted(counted: Vec<((String, String, String), i64)>) -> Facets {
    let mut facets = Facets::default();
    for ((facet, key, value), count) in counted {
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

/// `width_bucket` counts from 1; prices are never below the first band.
fn band(number: &str, count: i64) -> Option<PriceBand> {
    let number: usize = number.parse().ok()?;
    Some(PriceBand {
        from_cents: *BANDS.get(number.checked_sub(1)?)?,
        below_cents: BANDS.get(number).copied(),
        count,
    })
}
