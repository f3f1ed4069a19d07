//! `GET /api/v1/analytics/sales` and `/funnel`: the merchant's figures, by hour.

use super::query_error;
use crate::figures::hour_of;
use crate::router::AppState;
use crate::store::figures;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use shop_contract::api::Role;
use shop_contract::api::recommendation::{Funnel, FunnelCounts, Sales, TotalSales};
use shop_kit_http::{ApiError, Query};
use shop_kit_token::Caller;
use std::collections::BTreeMap;

const MERCHANTS: [Role; 2] = [Role::Merchant, Role::Admin];
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const LONGEST: i64 = 92 * DAY;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// RFC 3339; the hour it lies in is included. Without it: a day before `to`.
    from: Option<String>,
    /// RFC 3339; the hour it lies in is included. Without it: now. At most 92 days after `from`.
    to: Option<String>,
}

/// Hours, in seconds since 1970; the second is not included.
struct Hours {
    from: i64,
    to: i64,
}

/// Confirmed orders, pieces and money by hour and currency.
#[utoipa::path(
    get,
    path = "/api/v1/analytics/sales",
    operation_id = "hourlySales",
    tag = "analytics",
    params(Span),
    responses((status = 200, description = "By hour", body = Sales)),
    security(("bearer" = []))
)]
pub async fn sales(
    State(state): State<AppState>,
    caller: Caller,
    Query(span): Query<Span>,
) -> Result<Json<Sales>, ApiError> {
    caller.require(&MERCHANTS)?;
    let span = span.hours()?;
    let hours = figures::sales(&state.pool, span.from, span.to).await?;
    let mut totals: BTreeMap<&str, TotalSales> = BTreeMap::new();
    for hour in &hours {
        let total = totals.entry(&hour.currency).or_insert_with(|| TotalSales {
            currency: hour.currency.clone(),
            orders: 0,
            items: 0,
            cents: 0,
        });
        total.orders += hour.orders;
        total.items += hour.items;
        total.cents += hour.cents;
    }
    Ok(Json(Sales {
        totals: totals.into_values().collect(),
        from: text(span.from)?,
        to: text(span.to)?,
        hours,
    }))
}

/// How many registered, ordered, were confirmed and cancelled, by hour.
#[utoipa::path(
    get,
    path = "/api/v1/analytics/funnel",
    operation_id = "hourlyFunnel",
    tag = "analytics",
    params(Span),
    responses((status = 200, description = "By hour", body = Funnel)),
    security(("bearer" = []))
)]
pub async fn funnel(
    State(state): State<AppState>,
    caller: Caller,
    Query(span): Query<Span>,
) -> Result<Json<Funnel>, ApiError> {
    caller.require(&MERCHANTS)?;
    let span = span.hours()?;
    let hours = figures::funnel(&state.pool, span.from, span.to).await?;
    let mut total = FunnelCounts::default();
    for hour in &hours {
        total.registered += hour.counts.registered;
        total.placed += hour.counts.placed;
        total.confirmed += hour.counts.confirmed;
        for (reason, count) in &hour.counts.cancelled {
            *total.cancelled.entry(reason.clone()).or_default() += count;
        }
    }
    Ok(Json(Funnel {
        from: text(span.from)?,
        to: text(span.to)?,
        hours,
        total,
    }))
}

impl Span {
    fn hours(&self) -> Result<Hours, ApiError> {
        let to = given("to", self.to.as_deref())?;
        let to = hour_of(to.unwrap_or_else(Timestamp::now)) + HOUR;
        let from = given("from", self.from.as_deref())?;
        let from = from.map_or(to - DAY, hour_of);
        if from >= to || to - from > LONGEST + HOUR {
            return Err(query_error("from must be before to, and at most 92 days before it"));
        }
        text(from).and(text(to)).map(|_| Hours { from, to })
    }
}

fn given(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| query_error(format!("{name}: must be a time such as 2026-11-24T13:00:00Z")))
}

fn text(second: i64) -> Result<String, ApiError> {
    let time = Timestamp::from_second(second).map_err(|_| query_error("from, to: no such time"))?;
    Ok(time.to_string())
}
