//! `GET /api/v1/categories`: the tree; `PUT /api/v1/categories/{slug}`: makes or changes one.

use super::merchant::refuse;
use super::{Merchant, body, json};
use crate::cache::{Entry, Kind};
use crate::router::AppState;
use crate::rules::{is_slug, new_category};
use crate::store::category::{self, Refused};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use shop_contract::api::product::{Categories, NewCategory};
use shop_kit_http::{ApiError, Json, Path};
use shop_kit_postgres::StoreError;

/// One entry holds the whole tree. Its version is nothing to compare: it is short-lived instead.
const TREE: &str = "tree";

/// All categories, two levels.
#[utoipa::path(
    get,
    path = "/api/v1/categories",
    operation_id = "listCategories",
    tag = "categories",
    responses((status = 200, description = "The tree", body = Categories))
)]
pub async fn list(State(state): State<AppState>) -> Result<Response, ApiError> {
    let reads = state.reads.clone();
    let load = async move {
        let items = reads.run(|pool| async move { category::tree(&pool).await }).await?;
        let body = body(&Categories { items }).map_err(|error| StoreError::Failed {
            tier: super::TIER.into(),
            detail: error.detail,
        })?;
        Ok(Entry::found(0, body))
    };
    let tree = state.cache.get(Kind::Categories, TREE, load).await?;
    Ok(json(StatusCode::OK, tree.body.unwrap_or_default()))
}

/// Makes a category or changes it. Lists show it within a minute.
#[utoipa::path(
    put,
    path = "/api/v1/categories/{slug}",
    operation_id = "putCategory",
    tag = "categories",
    params(("slug" = String, Path)),
    request_body = NewCategory,
    responses((status = 204, description = "Done"), (status = 409, description = "It has categories below it")),
    security(("bearer" = []))
)]
pub async fn put(
    State(state): State<AppState>,
    _: Merchant,
    Path(slug): Path<String>,
    Json(new): Json<NewCategory>,
) -> Result<StatusCode, ApiError> {
    if !is_slug(&slug) {
        let detail = "a slug is at most 60 lower-case letters, digits and single hyphens";
        return Err(ApiError::not_found(detail));
    }
    refuse(new_category(&new))?;
    match category::put(&state.catalog, &slug, &new).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Refused::Parent) => Err(ApiError::invalid_field(
            "/parent",
            "there is no such category of the upper level",
        )),
        Err(Refused::HasChildren) => Err(ApiError::conflict(format!("{slug} has categories below it"))),
    }
}
