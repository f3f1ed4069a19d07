//! Bodies of recommendations and of the merchant's figures.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Products a customer may like, best first. Ask the catalogue for what they are: `GET /api/v1/products?ids=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendations {
    pub items: Vec<Recommendation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendation {
    pub product_id: Uuid,
    pub reason: Reason,
    /// Comparable within one answer and one reason only.
    pub score: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Often in one order with the product asked for, or with what the customer bought.
    BoughtTogether,
    /// Sold most in the last days.
    BestSeller,
}

/// Confirmed orders by the hour of their confirmation. Money that went back later is not taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sales {
    /// RFC 3339, the beginning of an hour.
    pub from: String,
    /// RFC 3339, not included.
    pub to: String,
    /// Hours without a sale are left out.
    pub hours: Vec<HourlySales>,
    /// One per currency.
    pub totals: Vec<TotalSales>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HourlySales {
    pub hour: String,
    pub currency: String,
    pub orders: i64,
    /// Pieces sold.
    pub items: i64,
    pub cents: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotalSales {
    pub currency: String,
    pub orders: i64,
    pub items: i64,
    pub cents: i64,
}

/// How many came how far, by the hour in which it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Funnel {
    /// RFC 3339, the beginning of an hour.
    pub from: String,
    /// RFC 3339, not included.
    pub to: String,
    /// Hours in which nothing happened are left out.
    pub hours: Vec<HourlyFunnel>,
    pub total: FunnelCounts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HourlyFunnel {
    pub hour: String,
    pub counts: FunnelCounts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FunnelCounts {
    pub registered: i64,
    pub placed: i64,
    pub confirmed: i64,
    /// By reason.
    pub cancelled: BTreeMap<String, i64>,
}
