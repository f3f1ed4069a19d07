//! Bodies of the catalogue: products as they are shown and as a merchant writes them, categories and facets.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A product as the catalogue shows it: [`super::Product`] and more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogProduct {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    /// The category's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// What it can be filtered by, such as `colour`.
    pub attributes: BTreeMap<String, String>,
    pub price_cents: i64,
    pub currency: String,
    /// Whether it appears in lists; by its id it can be seen and ordered either way.
    pub listed: bool,
    /// Grows with every change of this product.
    pub version: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductPage {
    pub items: Vec<CatalogProduct>,
    /// Pass as `?cursor=`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// With `?facets=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
}

/// How many of all the products found there are by each property; the most frequent values of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facets {
    /// All products found, on every page.
    pub total: i64,
    /// Whether the counts are taken from a sample, because there are too many products to count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    pub categories: Vec<FacetCount>,
    pub brands: Vec<FacetCount>,
    pub attributes: BTreeMap<String, Vec<FacetCount>>,
    pub prices: Vec<PriceBand>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetCount {
    pub value: String,
    pub count: i64,
}

/// Prices from `from_cents` up to, but not including, `below_cents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceBand {
    pub from_cents: i64,
    /// Absent in the highest band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_cents: Option<i64>,
    pub count: i64,
}

/// `POST /api/v1/products`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    pub name: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    pub price_cents: i64,
    /// Three letters (ISO 4217).
    pub currency: String,
    #[serde(default = "listed")]
    pub listed: bool,
}

/// `PATCH /api/v1/products/{id}`: what is absent stays as it is. Prices have a route of their own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Replaces all attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
}

/// `PUT /api/v1/products/{id}/price`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    pub price_cents: i64,
    /// Three letters (ISO 4217).
    pub currency: String,
}

/// A category of the upper level and those below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Category {
    pub slug: String,
    pub name: String,
    pub children: Vec<Subcategory>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subcategory {
    pub slug: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Categories {
    pub items: Vec<Category>,
}

/// `PUT /api/v1/categories/{slug}`: makes a category or renames one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCategory {
    pub name: String,
    /// A category of the upper level; absent for one that is itself of the upper level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// `POST /api/v1/products/{id}/images`: asks for a place to upload an image to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewImage {
    /// `image/jpeg`, `image/png`, `image/webp` or `image/avif`.
    pub content_type: String,
    /// Size in bytes, at most 10 MiB.
    pub bytes: u64,
}

/// Where to upload: one PUT with these headers and no credentials, until `expires_at`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageUpload {
    pub url: String,
    pub headers: BTreeMap<String, String>,
    /// RFC 3339.
    pub expires_at: String,
}

fn listed() -> bool {
    true
}
