//! Finding products: the interface a search engine can take over, and what it is asked. Postgres is the one behind it
//! now. Whoever implements it decides on ranking and language; filters, order and paging mean the same everywhere.

mod facets;
mod filter;
mod postgres;

pub use postgres::PostgresSearch;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use shop_contract::api::product::{CatalogProduct, Facets};
use shop_kit_postgres::StoreError;
use std::collections::BTreeMap;
use uuid::Uuid;

pub trait Search: Send + Sync + 'static {
    /// One page of what matches.
    fn find(&self, question: Question) -> BoxFuture<'_, Result<Found, StoreError>>;
    /// Counts over everything that matches.
    fn count(&self, filter: Filter) -> BoxFuture<'_, Result<Facets, StoreError>>;
}

/// Listed products that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words, "quoted phrases", -exclusions and `or`, as people type them. What only excludes finds nothing.
    pub text: Option<String>,
    /// A category and those below it.
    pub category: Option<String>,
    /// One of these; empty for any.
    pub brands: Vec<String>,
    /// All of these.
    pub attributes: BTreeMap<String, String>,
    pub least_cents: Option<i64>,
    pub most_cents: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub filter: Filter,
    pub sort: Sort,
    /// Where the page before ended.
    pub after: Option<Position>,
    pub limit: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match first; the default when there is a text.
    Relevance,
    /// The default without a text.
    Newest,
    PriceAsc,
    PriceDesc,
}

/// The last product of a page, by what its list is sorted by. One page's position says nothing in another order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The rank's bits: a decimal number would not come back as the same one.
    Relevance(u32, Uuid),
    Newest(Uuid),
    PriceAsc(i64, Uuid),
    PriceDesc(i64, Uuid),
}

#[derive(Clone, Debug)]
pub struct Found {
    pub products: Vec<CatalogProduct>,
    /// Absent on the last page.
    pub next: Option<Position>,
}

impl Position {
    pub fn sort(self) -> Sort {
        match self {
            Self::Relevance(..) => Sort::Relevance,
            Self::Newest(_) => Sort::Newest,
            Self::PriceAsc(..) => Sort::PriceAsc,
            Self::PriceDesc(..) => Sort::PriceDesc,
        }
    }
}
