//! `POST /api/v1/orders`. Checks the lines, asks for prices, then writes order, lines, event and kept answer in one
//! transaction of the customer's shard. RabbitMQ takes no part: an order is accepted while it is down.

use crate::cart::{self, Priced};
use crate::router::AppState;
use crate::store::idempotency::{self, Earlier};
use crate::store::order;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::{ORDERS, Order, OrderStatus, PlaceOrder};
use shop_contract::event::{ORDER_PLACED, OrderPlaced};
use shop_contract::probe::SYNTHETIC_HEADER;
use shop_kit_http::{ApiError, Json, RequestId, Synthetic};
use shop_kit_postgres::Shard;
use shop_kit_token::Caller;
use uuid::Uuid;

const KEY: &str = "idempotency-key";
const KEY_LENGTH: (usize, usize) = (1, 255);

pub async fn place(
    State(state): State<AppState>,
    caller: Caller,
    Synthetic(marked): Synthetic,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    Json(body): Json<PlaceOrder>,
) -> Result<Response, ApiError> {
    if marked != caller.synthetic {
        let detail = format!("synthetic customers, and only they, order with `{SYNTHETIC_HEADER}`");
        return Err(ApiError::forbidden(detail));
    }
    let errors = cart::problems(&body.lines, marked);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let key = key(&headers)?;
    let hash = cart::hash(&body);
    let request = key.as_deref().map(|key| idempotency::Request {
        user: caller.user,
        key,
        hash: &hash,
    });
    let shard = state.shards.of_user(caller.user)?;
    if let Some(request) = &request {
        let earlier = idempotency::find(shard.pool.executor(), request).await;
        if let Some(answer) = replay(earlier.map_err(|error| shard.pool.error(&error))?)? {
            return Ok(answer);
        }
    }
    let products = state.prices.of(&body.lines, &request_id).await?;
    write(
        &shard,
        caller.user,
        marked,
        cart::priced(&body.lines, &products)?,
        request.as_ref(),
    )
    .await
}

async fn write(
    shard: &Shard,
    user: Uuid,
    synthetic: bool,
    priced: Priced,
    request: Option<&idempotency::Request<'_>>,
) -> Result<Response, ApiError> {
    let store = |error: sqlx::Error| ApiError::from(shard.pool.error(&error));
    let mut transaction = shard.pool.begin().await?;
    let order = Order {
        id: Uuid::now_v7(),
        user_id: user,
        status: OrderStatus::Placed,
        total_cents: priced.total_cents,
        currency: priced.currency,
        shard: shard.index,
        lines: priced.lines,
        created_at: order::now(&mut transaction).await.map_err(store)?,
    };
    let answer = serde_json::to_string(&order).map_err(|error| ApiError::internal("service/order", error))?;
    if let Some(request) = request {
        let earlier = idempotency::claim(&mut transaction, request, &answer)
            .await
            .map_err(store)?;
        if let Some(answer) = replay(earlier)? {
            return Ok(answer);
        }
    }
    order::insert(&mut transaction, &order, synthetic)
        .await
        .map_err(store)?;
    let event = event(&order, synthetic);
    shop_kit_events::append(&mut transaction, event.event_id, ORDER_PLACED, &event)
        .await
        .map_err(store)?;
    shard.pool.commit(transaction).await?;
    Ok(created(&order.id.to_string(), answer))
}

fn event(order: &Order, synthetic: bool) -> OrderPlaced {
    OrderPlaced {
        event_id: Uuid::now_v7(),
        order_id: order.id,
        user_id: order.user_id,
        total_cents: order.total_cents,
        currency: order.currency.clone(),
        synthetic,
        placed_at: order.created_at.clone(),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if (KEY_LENGTH.0..=KEY_LENGTH.1).contains(&text.len()) {
        return Ok(Some(text.to_owned()));
    }
    let detail = format!(
        "`{KEY}` must have {} to {} visible ASCII characters",
        KEY_LENGTH.0, KEY_LENGTH.1
    );
    Err(ApiError::new(StatusCode::BAD_REQUEST, "header", detail))
}

fn replay(earlier: Earlier) -> Result<Option<Response>, ApiError> {
    match earlier {
        Earlier::Nothing => Ok(None),
        Earlier::OtherRequest => {
            let detail = format!("this `{KEY}` was used for another order: use a new one");
            Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                detail,
            ))
        }
        Earlier::SameRequest(answer) => {
            let id: Option<Order> = serde_json::from_str(&answer).ok();
            let id = id.map(|order| order.id.to_string()).unwrap_or_default();
            let mut response = created(&id, answer);
            response
                .headers_mut()
                .insert("idempotency-replayed", HeaderValue::from_static("true"));
            Ok(Some(response))
        }
    }
}

fn created(id: &str, answer: String) -> Response {
    let headers = [
        (header::LOCATION, format!("{ORDERS}/{id}")),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    (StatusCode::CREATED, headers, answer).into_response()
}
