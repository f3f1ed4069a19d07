//! `GET /api/v1/products`: a page of what a search finds, or the products of given ids. First pages come from the cache
//! and may be some seconds old; what is asked for by `ids` never is.

use super::{body, choices, json, product, query_error};
use crate::cache::{Entry, Kind};
use crate::router::AppState;
use crate::rules::{is_attribute_key, is_slug};
use crate::search::{Filter, Position, Question, Sort};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use shop_contract::api::product::{Facets, ProductPage};
use shop_kit_http::{ApiError, PageQuery, Query, cursor, position};
use shop_kit_postgres::StoreError;
use std::collections::BTreeMap;
use uuid::Uuid;

const IDS: usize = 100;
const TEXT: usize = 200;
const CHOICES: usize = 20;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Words to look for; "quoted phrases", `or` and `-without` work. What only excludes finds nothing.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Slug of a category; those below it count too.
    category: Option<String>,
    /// Brands, comma-separated: any of them. A backslash makes a comma, a backslash or a space part of the name:
    /// `Smith\, Sons` is one brand.
    brand: Option<String>,
    /// `key:value`, comma-separated: all of them. Example: `colour:blue`. Backslashes work as in `brand`.
    attributes: Option<String>,
    #[param(minimum = 0)]
    min_price: Option<i64>,
    #[param(minimum = 0)]
    max_price: Option<i64>,
    #[param(inline)]
    sort: Option<Sort>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Products on a page; 20 without it.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// Adds the counts over everything found.
    facets: Option<bool>,
    /// Up to 100 product ids, comma-separated: these products, in this order; goes with no other parameter.
    ids: Option<String>,
}

/// Products that match, or those with the given ids.
#[utoipa::path(
    get,
    path = "/api/v1/products",
    operation_id = "listProducts",
    tag = "products",
    params(Listing),
    responses(
        (status = 200, description = "A page", body = ProductPage),
        (status = 504, description = "To find or count this takes too long: ask for less")
    )
)]
pub async fn list(State(state): State<AppState>, Query(listing): Query<Listing>) -> Result<Response, ApiError> {
    if let Some(ids) = &listing.ids {
        let ids = ids_alone(&listing, ids)?;
        return product::show_many(&state, &ids).await;
    }
    let (question, facets) = (question(&listing)?, listing.facets.unwrap_or_default());
    let first = question.after.is_none();
    let key = format!("{question:?} {facets}");
    let search = state.clone();
    let load = async move { load(&search, question, facets).await };
    let page = match first {
        true => state.cache.get(Kind::Page, &key, load).await?,
        false => load.await?,
    };
    Ok(json(StatusCode::OK, page.body.unwrap_or_default()))
}

async fn load(state: &AppState, question: Question, facets: bool) -> Result<Entry, StoreError> {
    let filter = question.filter.clone();
    let found = state.search.find(question).await?;
    let facets = match facets {
        true => Some(counts(state, filter).await?),
        false => None,
    };
    let page = ProductPage {
        items: found.products,
        next_cursor: found.next.map(|next| cursor(&next)).transpose().map_err(failed)?,
        facets,
    };
    Ok(Entry::found(0, body(&page).map_err(failed)?))
}

/// Counts are dearer than a page and the same for each of its orders, so they are kept apart and for longer.
async fn counts(state: &AppState, filter: Filter) -> Result<Facets, StoreError> {
    let (key, search) = (format!("{filter:?}"), state.search.clone());
    let load = async move {
        let facets = search.count(filter).await?;
        Ok(Entry::found(0, body(&facets).map_err(failed)?))
    };
    let entry = state.cache.get(Kind::Facets, &key, load).await?;
    serde_json::from_slice(&entry.body.unwrap_or_default()).map_err(|error| StoreError::Failed {
        tier: super::TIER.into(),
        detail: error.to_string(),
    })
}

fn failed(error: ApiError) -> StoreError {
    StoreError::Failed {
        tier: super::TIER.into(),
        detail: error.detail,
    }
}

fn ids_alone(listing: &Listing, ids: &str) -> Result<Vec<Uuid>, ApiError> {
    let alone = Listing {
        ids: listing.ids.clone(),
        ..Listing::default()
    };
    if *listing != alone {
        return Err(query_error("ids: goes with no other parameter"));
    }
    let mut known = Vec::new();
    for text in ids.split(',') {
        let id = text
            .trim()
            .parse()
            .map_err(|_| query_error("ids: must be UUIDs, comma-separated"))?;
        if !known.contains(&id) {
            known.push(id);
        }
        if known.len() > IDS {
            return Err(query_error(format!("ids: must be at most {IDS}")));
        }
    }
    Ok(known)
}

fn question(listing: &Listing) -> Result<Question, ApiError> {
    let page = PageQuery {
        cursor: None,
        limit: listing.limit,
    };
    let (limit, filter) = (page.limit()?, filter(listing)?);
    let default = match filter.text {
        Some(_) => Sort::Relevance,
        None => Sort::Newest,
    };
    let sort = listing.sort.unwrap_or(default);
    let after: Option<Position> = listing.cursor.as_deref().map(position).transpose()?;
    if after.is_some_and(|after| after.sort() != sort) {
        return Err(query_error("cursor: belongs to a list in another order"));
    }
    Ok(Question {
        filter,
        sort,
        after,
        limit,
    })
}

fn filter(listing: &Listing) -> Result<Filter, ApiError> {
    let text = listing.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| !plain(text, TEXT)) {
        return Err(query_error(format!("q: must be at most {TEXT} characters on one line")));
    }
    if listing.category.as_deref().is_some_and(|category| !is_slug(category)) {
        return Err(query_error("category: must be a slug, such as desk-lamps"));
    }
    let (least_cents, most_cents) = (listing.min_price, listing.max_price);
    if least_cents.is_some_and(|least| least < 0) || most_cents.is_some_and(|most| most < 0) {
        return Err(query_error("min_price, max_price: must be 0 or more, in cents"));
    }
    Ok(Filter {
        text: text.map(str::to_lowercase),
        category: listing.category.clone(),
        brands: choices("brand", listing.brand.as_deref())?,
        attributes: attributes(listing.attributes.as_deref())?,
        least_cents,
        most_cents,
    })
}

fn choices(name: &str, given: Option<&str>) -> Result<Vec<String>, ApiError> {
    let mut choices = given.map(choices::split).unwrap_or_default();
    choices.sort();
    choices.dedup();
    if choices.len() > CHOICES || choices.iter().any(|choice| !plain(choice, TEXT)) {
        return Err(query_error(format!(
            "{name}: must be at most {CHOICES} values, comma-separated"
        )));
    }
    Ok(choices)
}

fn attributes(given: Option<&str>) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = choices("attributes", given)?;
    let mut attributes = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair.split_once(':').unwrap_or_default();
        let fresh = is_attribute_key(key) && attributes.insert(key.to_owned(), value.to_owned()).is_none();
        if !fresh || value.is_empty() {
            return Err(query_error(
                "attributes: must be key:value, comma-separated, each key once",
            ));
        }
    }
    Ok(attributes)
}

fn plain(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}
