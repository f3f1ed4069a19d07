//! The merchant's figures by hour.

use crate::figures::Figures;
use shop_contract::api::recommendation::{FunnelCounts, HourlyFunnel, HourlySales};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};

/// RFC 3339 in UTC.
const HOUR: &str = "to_char(hour at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as hour";

pub async fn add(transaction: &mut PgConnection, figures: &Figures) -> Result<(), sqlx::Error> {
    let hours: Vec<i64> = figures.sales.keys().map(|(hour, _)| *hour).collect();
    let currencies: Vec<&str> = figures.sales.keys().map(|(_, currency)| currency.as_str()).collect();
    let orders: Vec<i64> = figures.sales.values().map(|sold| sold.orders).collect();
    let items: Vec<i64> = figures.sales.values().map(|sold| sold.items).collect();
    let cents: Vec<i64> = figures.sales.values().map(|sold| sold.cents).collect();
    sqlx::query(
        "insert into analytics_sales as known (hour, currency, orders, items, cents) \
         select to_timestamp(hour), currency, orders, items, cents \
         from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) \
         as sold (hour, currency, orders, items, cents) on conflict (hour, currency) do update set \
         orders = known.orders + excluded.orders, items = known.items + excluded.items, \
         cents = known.cents + excluded.cents",
    )
    .bind(hours)
    .bind(currencies)
    .bind(orders)
    .bind(items)
    .bind(cents)
    .execute(&mut *transaction)
    .await?;
    add_steps(transaction, figures).await
}

async fn add_steps(transaction: &mut PgConnection, figures: &Figures) -> Result<(), sqlx::Error> {
    let hours: Vec<i64> = figures.funnel.keys().map(|(hour, ..)| *hour).collect();
    let steps: Vec<&str> = figures.funnel.keys().map(|(_, step, _)| step.name()).collect();
    let reasons: Vec<&str> = figures.funnel.keys().map(|(.., reason)| *reason).collect();
    let counts: Vec<i64> = figures.funnel.values().copied().collect();
    sqlx::query(
        "insert into analytics_funnel as known (hour, step, reason, count) \
         select to_timestamp(hour), step, reason, count from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) \
         as counted (hour, step, reason, count) \
         on conflict (hour, step, reason) do update set count = known.count + excluded.count",
    )
    .bind(hours)
    .bind(steps)
    .bind(reasons)
    .bind(counts)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Hours from one second since 1970 up to, not including, another, in their order.
pub async fn sales(pool: &Pool, from: i64, to: i64) -> Result<Vec<HourlySales>, StoreError> {
    let text = format!(
        "select {HOUR}, currency, orders, items, cents from analytics_sales as figures \
         where figures.hour >= to_timestamp($1) and figures.hour < to_timestamp($2) order by figures.hour, currency"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(from)
        .bind(to)
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let hours = rows.iter().map(|row| {
        Ok(HourlySales {
            hour: row.try_get("hour")?,
            currency: row.try_get("currency")?,
            orders: row.try_get("orders")?,
            items: row.try_get("items")?,
            cents: row.try_get("cents")?,
        })
    });
    hours
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| pool.error(&error))
}

pub async fn funnel(pool: &Pool, from: i64, to: i64) -> Result<Vec<HourlyFunnel>, StoreError> {
    let text = format!(
        "select {HOUR}, step, reason, count from analytics_funnel as figures \
         where figures.hour >= to_timestamp($1) and figures.hour < to_timestamp($2) order by figures.hour, step, reason"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(from)
        .bind(to)
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let mut hours: Vec<HourlyFunnel> = Vec::new();
    for row in rows {
        let read = || {
            let key: (String, String) = (row.try_get("step")?, row.try_get("reason")?);
            Ok((row.try_get("hour")?, key, row.try_get("count")?))
        };
        let (hour, (step, reason), count): (String, (String, String), i64) =
            read().map_err(|error: sqlx::Error| pool.error(&error))?;
        if hours.last().is_none_or(|last| last.hour != hour) {
            let counts = FunnelCounts::default();
            hours.push(HourlyFunnel { hour, counts });
        }
        if let Some(last) = hours.last_mut() {
            add_to(&mut last.counts, &step, reason, count);
        }
    }
    Ok(hours)
}

fn add_to(counts: &mut FunnelCounts, step: &str, reason: String, count: i64) {
    match step {
        "registered" => counts.registered += count,
        "placed" => counts.placed += count,
        "confirmed" => counts.confirmed += count,
        _ => *counts.cancelled.entry(reason).or_default() += count,
    }
}
