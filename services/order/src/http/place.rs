//! `POST /api/v1/orders`. Checks the lines, asks for prices, then writes order, lines, event and kept answer in one
//! transaction of the customer's shard. RabbitMQ takes no part: an order is accepted while it is down.

use crate::router::AppState;
use crate::store::idempotency::{self, Earlier};
use crate::store::order;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use shop_contract::api::{ORDERS, Order, OrderLine, OrderStatus, PlaceOrder, PricedLine, Product};
use shop_contract::event::{ORDER_PLACED, OrderPlaced};
use shop_contract::probe::{SYNTHETIC_HEADER, SYNTHETIC_PRODUCT};
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Json, RequestId, Synthetic};
use shop_kit_postgres::Shard;
use shop_kit_token::Caller;
use std::collections::HashSet;
use uuid::Uuid;

const LINES: (usize, usize) = (1, 50);
const QUANTITY: (u32, u32) = (1, 99);
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
    let errors = problems(&body.lines, marked);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let key = key(&headers)?;
    let hash = hash(&body);
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
        priced(&body.lines, &products)?,
        request.as_ref(),
    )
    .await
}

/// What is written besides who ordered.
struct Priced {
    lines: Vec<PricedLine>,
    total_cents: i64,
    currency: String,
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

/// Every line at once.
fn problems(lines: &[OrderLine], synthetic: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: String, detail: String| errors.push(FieldError { pointer, detail });
    if !(LINES.0..=LINES.1).contains(&lines.len()) {
        wrong(
            "/lines".to_owned(),
            format!("must have {} to {} entries", LINES.0, LINES.1),
        );
    }
    let mut seen = HashSet::new();
    for (index, line) in lines.iter().take(LINES.1).enumerate() {
        if !(QUANTITY.0..=QUANTITY.1).contains(&line.quantity) {
            let detail = format!(
                "is {}: must be between {} and {}",
                line.quantity, QUANTITY.0, QUANTITY.1
            );
            wrong(format!("/lines/{index}/quantity"), detail);
        }
        if !seen.insert(line.product_id) {
            wrong(
                format!("/lines/{index}/product_id"),
                "is in an earlier line too: add the quantities".to_owned(),
            );
        }
        if line.product_id == SYNTHETIC_PRODUCT && !synthetic {
            wrong(
                format!("/lines/{index}/product_id"),
                format!("there is no product {SYNTHETIC_PRODUCT}"),
            );
        }
    }
    errors
}

fn priced(lines: &[OrderLine], products: &[Product]) -> Result<Priced, ApiError> {
    let currency = products
        .first()
        .map(|product| product.currency.clone())
        .unwrap_or_default();
    if let Some(index) = products.iter().position(|product| product.currency != currency) {
        let detail = format!(
            "is sold in {}, the first line in {currency}: order them apart",
            products[index].currency
        );
        return Err(ApiError::invalid_field(format!("/lines/{index}/product_id"), detail));
    }
    let lines: Vec<PricedLine> = lines
        .iter()
        .zip(products)
        .map(|(line, product)| PricedLine {
            product_id: line.product_id,
            quantity: line.quantity,
            price_cents: product.price_cents,
        })
        .collect();
    let total = lines.iter().try_fold(0_i64, |sum, line| {
        sum.checked_add(line.price_cents.checked_mul(i64::from(line.quantity))?)
    });
    let total_cents = total.ok_or_else(|| ApiError::invalid_field("/lines", "costs more than can be counted"))?;
    Ok(Priced {
        lines,
        total_cents,
        currency,
    })
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

/// Of what was asked for, not of how it was spelled.
fn hash(body: &PlaceOrder) -> Vec<u8> {
    let mut digest = Sha256::new();
    for line in &body.lines {
        digest.update(line.product_id.as_bytes());
        digest.update(line.quantity.to_be_bytes());
    }
    digest.finalize().to_vec()
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
