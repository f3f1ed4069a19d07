//! `GET /api/v1/products/{id}`, and the same for many ids at once. Both go through the versioned cache to the primary.
//! One product may be a second old; the prices of many are charged and therefore never are: the primary is always asked
//! whether it has newer ones.

use super::{body, json, no_product};
use crate::cache::{Entry, Kind};
use crate::router::AppState;
use crate::store::product::{self, Known};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use shop_contract::api::product::CatalogProduct;
use shop_kit_http::{ApiError, Path};
use shop_kit_postgres::{Pool, StoreError};
use std::collections::HashMap;
use std::time::Instant;
use uuid::Uuid;

/// One product, listed or not.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}",
    operation_id = "getProduct",
    tag = "products",
    params(("id" = Uuid, Path)),
    responses((status = 200, description = "The product", body = CatalogProduct))
)]
pub async fn show(State(state): State<AppState>, Path(id): Path<Uuid>) -> Result<Response, ApiError> {
    let pool = state.catalog.clone();
    let load = async move { load(&pool, id).await };
    let entry = state.cache.get(Kind::Product, &id.to_string(), load).await?;
    let found = entry.body.ok_or_else(|| no_product(id))?;
    Ok(json(StatusCode::OK, found))
}

/// In the order of `ids`; unknown ones are left out. What the cache knows is checked at the primary, in the statement
/// that reads the rest: Redis may have lost a change after it was answered.
pub(super) async fn show_many(state: &AppState, ids: &[Uuid]) -> Result<Response, ApiError> {
    let keys: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let known = state.cache.known(Kind::Product, &keys).await;
    let version = |entry: &Option<Entry>| entry.as_ref().map_or(0, |entry| entry.version);
    let versions: Vec<i64> = known.iter().map(version).collect();
    let begun = Instant::now();
    let newer = entries(product::find_newer(&state.catalog, ids, &versions).await?)?;
    let filled = newer.into_iter().map(|(id, entry)| async move {
        let kept = state.cache.fill(Kind::Product, &id.to_string(), entry, begun).await;
        (id, kept.body)
    });
    let known = ids.iter().copied().zip(known.into_iter().map(|entry| entry?.body));
    let mut bodies: HashMap<Uuid, Option<Bytes>> = known.collect();
    bodies.extend(join_all(filled).await);
    let items: Vec<&[u8]> = ids.iter().filter_map(|id| bodies.get(id)?.as_deref()).collect();
    let items = items.join(&b","[..]);
    Ok(json(
        StatusCode::OK,
        [b"{\"items\":[", &items[..], b"]}"].concat().into(),
    ))
}

async fn load(pool: &Pool, id: Uuid) -> Result<Entry, StoreError> {
    let loaded = load_many(pool, &[id]).await?;
    Ok(loaded.into_iter().next().map_or(Entry::absent(0), |(_, entry)| entry))
}

/// One entry per id; version 0 for what never was.
pub(crate) async fn load_many(pool: &Pool, ids: &[Uuid]) -> Result<HashMap<Uuid, Entry>, StoreError> {
    let mut loaded: HashMap<Uuid, Entry> = ids.iter().map(|id| (*id, Entry::absent(0))).collect();
    loaded.extend(entries(product::find(pool, ids).await?)?);
    Ok(loaded)
}

fn entries(found: Vec<Known>) -> Result<Vec<(Uuid, Entry)>, StoreError> {
    let read = |known| match known {
        Known::Removed { id, version } => Ok((id, Entry::absent(version))),
        Known::Product(product) => Ok((product.id, entry(&product)?)),
    };
    found.into_iter().map(read).collect()
}

pub(crate) fn entry(product: &CatalogProduct) -> Result<Entry, StoreError> {
    let body = body(product).map_err(|error| StoreError::Failed {
        tier: super::TIER.into(),
        detail: error.detail,
    })?;
    Ok(Entry::found(product.version, body))
}
