//! `POST /api/v1/products/{id}/images`: a place to upload an image to.

use super::merchant::refuse;
use super::{Merchant, no_product};
use crate::router::AppState;
use crate::rules::new_image;
use crate::store::product::{Known, find};
use axum::extract::State;
use axum::http::StatusCode;
use shop_contract::api::product::{ImageUpload, NewImage};
use shop_kit_http::{ApiError, Json, Path};
use uuid::Uuid;

/// Where to upload an image of this product to.
#[utoipa::path(
    post,
    path = "/api/v1/products/{id}/images",
    operation_id = "uploadImage",
    tag = "products",
    params(("id" = Uuid, Path)),
    request_body = NewImage,
    responses(
        (status = 200, description = "Upload there", body = ImageUpload),
        (status = 409, description = "`object-storage-not-configured`: this shop keeps no images yet")
    ),
    security(("bearer" = []))
)]
pub async fn upload(
    State(state): State<AppState>,
    _: Merchant,
    Path(id): Path<Uuid>,
    Json(image): Json<NewImage>,
) -> Result<axum::Json<ImageUpload>, ApiError> {
    refuse(new_image(&image))?;
    let known = find(&state.catalog, &[id]).await?;
    if !matches!(known.first(), Some(Known::Product(_))) {
        return Err(no_product(id));
    }
    let place = state.images.presign(id, &image);
    place.map(axum::Json).map_err(|_| {
        let detail = "this shop has no object storage, so it keeps no images";
        ApiError::new(StatusCode::CONFLICT, "object-storage-not-configured", detail)
    })
}
