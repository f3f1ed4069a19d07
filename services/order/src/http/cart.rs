//! `/api/v1/cart`: what a customer is about to order, beside the orders in the customer's shard.

use crate::lines::{self, MOST_LINES};
use crate::router::AppState;
use crate::store::cart;
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use shop_contract::api::order::{Cart, PutCartLine};
use shop_contract::api::{CART, OrderLine};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_kit_http::{ApiError, Path, RequestId};
use shop_kit_token::Caller;
use uuid::Uuid;

/// Show the cart.
#[utoipa::path(
    get,
    path = CART,
    operation_id = "showCart",
    tag = "cart",
    security(("bearer" = [])),
    responses((status = 200, body = Cart)),
)]
pub async fn show(State(state): State<AppState>, caller: Caller) -> Result<Json<Cart>, ApiError> {
    let shard = state.shards.of_user(caller.user)?;
    let lines = cart::find(&shard, caller.user).await?;
    Ok(Json(Cart { lines }))
}

/// Put a product into the cart, or change its quantity.
#[utoipa::path(
    put,
    path = "/api/v1/cart/lines/{product_id}",
    operation_id = "putCartLine",
    tag = "cart",
    security(("bearer" = [])),
    params(("product_id" = Uuid, Path)),
    request_body = PutCartLine,
    responses((status = 200, body = Cart), (status = 409, description = "The cart is full")),
)]
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    Path(product_id): Path<Uuid>,
    shop_kit_http::Json(body): shop_kit_http::Json<PutCartLine>,
) -> Result<Json<Cart>, ApiError> {
    if let Some(problem) = lines::quantity_problem("/quantity", body.quantity) {
        return Err(ApiError::invalid(vec![problem]));
    }
    let sold = product_id != SYNTHETIC_PRODUCT && state.prices.of(&[product_id], &request_id).await?[0].is_some();
    if !sold {
        return Err(ApiError::not_found(lines::no_product(product_id)));
    }
    let shard = state.shards.of_user(caller.user)?;
    let line = OrderLine {
        product_id,
        quantity: body.quantity,
    };
    let lines = cart::put(&shard, caller.user, &line).await?.ok_or_else(full)?;
    Ok(Json(Cart { lines }))
}

/// Take a product out of the cart; one that is not in it is no mistake.
#[utoipa::path(
    delete,
    path = "/api/v1/cart/lines/{product_id}",
    operation_id = "deleteCartLine",
    tag = "cart",
    security(("bearer" = [])),
    params(("product_id" = Uuid, Path)),
    responses((status = 204)),
)]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(product_id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let shard = state.shards.of_user(caller.user)?;
    cart::remove(&shard, caller.user, product_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Empty the cart.
#[utoipa::path(
    delete,
    path = CART,
    operation_id = "deleteCart",
    tag = "cart",
    security(("bearer" = [])),
    responses((status = 204)),
)]
pub async fn clear(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    let shard = state.shards.of_user(caller.user)?;
    cart::clear(&shard, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn full() -> ApiError {
    let detail = format!("the cart holds {MOST_LINES} products, which is as many as an order can have");
    ApiError::new(StatusCode::CONFLICT, "cart-full", detail)
}
