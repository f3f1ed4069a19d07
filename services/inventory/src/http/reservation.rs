//! `POST` and `DELETE /internal/v1/reservations`, for the order service; the gateway routes nothing here. Both may be
//! asked again: the order's id is the key.

use crate::desk::{Desk, Rules};
use crate::reservation::{Line, State};
use crate::router::AppState;
use crate::settle::{Answer, Ask};
use crate::store::reserve::Order;
use crate::store::settlement::settle_alone;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shop_contract::api::{OrderLine, Reservation, ReserveStock};
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Json, Path};
use std::collections::HashSet;
use uuid::Uuid;

const LINES: (usize, usize) = (1, 50);
const QUANTITY: (u32, u32) = (1, 10_000);

pub async fn reserve(Shared(desk): Shared<Desk>, Json(body): Json<ReserveStock>) -> Result<Response, ApiError> {
    let errors = problems(&body.lines);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let lines: Vec<Line> = body.lines.iter().map(line).collect();
    let order = Order {
        id: body.order_id,
        lines: lines.clone(),
    };
    match desk.reserve(order).await? {
        Answer::Held(row) => Ok(held(row.order, row.expires_at)),
        Answer::Short(positions) => Err(out_of_stock(&positions)),
        Answer::Unchanged(row) if !row.is_for(&lines) && !row.takes.is_empty() => {
            let detail = format!("order {} has a reservation for other lines", row.order);
            Err(ApiError::new(StatusCode::CONFLICT, "reservation-differs", detail))
        }
        Answer::Unchanged(row) => match row.state {
            State::Reserved | State::Claimed => Ok(held(row.order, row.expires_at)),
            State::Released | State::Expired | State::Rejected | State::Tombstone => {
                let detail = format!("the reservation of order {} is {}", row.order, row.state.text());
                Err(ApiError::new(StatusCode::CONFLICT, "reservation-ended", detail))
            }
        },
        other @ (Answer::Claimed | Answer::Rejected | Answer::Ended | Answer::Unknown) => Err(ApiError::internal(
            "service/inventory",
            format!("a reservation was answered {other:?}"),
        )),
    }
}

/// 204 when nothing is held for the order afterwards, and nothing will be; 409 when it was sold already.
pub async fn release(Shared(state): Shared<AppState>, Path(order): Path<Uuid>) -> Result<StatusCode, ApiError> {
    let answers = settle_alone(&state.pool, &[Ask::Release { order }], Rules::default().hold).await?;
    match answers.first() {
        Some(Answer::Unchanged(_)) => {
            let detail = format!("order {order} has been sold its stock: cancel the order instead");
            Err(ApiError::conflict(detail))
        }
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn line(line: &OrderLine) -> Line {
    Line {
        product: line.product_id,
        quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
    }
}

fn held(order_id: Uuid, expires_at: String) -> Response {
    (StatusCode::CREATED, axum::Json(Reservation { order_id, expires_at })).into_response()
}

fn out_of_stock(positions: &[usize]) -> ApiError {
    let mut error = ApiError::new(StatusCode::CONFLICT, "out-of-stock", "see `errors`");
    error.errors = positions
        .iter()
        .map(|position| FieldError {
            pointer: format!("/lines/{position}"),
            detail: "there is not so much in stock".to_owned(),
        })
        .collect();
    error
}

fn problems(lines: &[OrderLine]) -> Vec<FieldError> {
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
            let detail = "is in an earlier line too: add the quantities".to_owned();
            wrong(format!("/lines/{index}/product_id"), detail);
        }
    }
    errors
}
