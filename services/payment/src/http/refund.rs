//! `POST /api/v1/payments/{id}/refunds`: support gives a part of a captured payment back. The request and the kept
//! answer are one transaction; the worker asks the provider. With the payment's row locked, the sum of all refunds
//! cannot pass what was captured.

use super::no_payment;
use crate::IDEMPOTENCY;
use crate::machine::Phase;
use crate::router::AppState;
use crate::store::payment;
use crate::store::refund::{self, Requested};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::payment::{Refund, RefundStatus, RequestRefund};
use shop_contract::api::{PAYMENTS, Role};
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Json, Path};
use shop_kit_idempotency::{IdempotencyKey, Ticket, fingerprint, once};
use shop_kit_token::Caller;
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;

const SUPPORT: [Role; 2] = [Role::Support, Role::Admin];
const REASON: usize = 200;
/// This service, in problems.
const SERVICE: &str = "service/payment";

/// Gives money back. What the order's cancellation gives back needs no request.
#[utoipa::path(
    post,
    path = "/api/v1/payments/{id}/refunds",
    operation_id = "createRefund",
    tag = "payments",
    params(
        ("id" = Uuid, Path),
        ("Idempotency-Key" = String, Header, description = "The same key and body again give the same answer")
    ),
    request_body = RequestRefund,
    responses(
        (status = 201, description = "The provider is being asked", body = Refund, headers(("location" = String))),
        (status = 409, description = "Nothing was captured, or all of it is being given back")
    ),
    security(("bearer" = []))
)]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<RequestRefund>,
) -> Result<Response, ApiError> {
    caller.require(&SUPPORT)?;
    let Some(key) = key else {
        let detail = "a refund needs an `idempotency-key`, so that it is never made twice";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "header", detail));
    };
    let errors = problems(&body);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let print = fingerprint(&format!("{PAYMENTS}/{id}/refunds"), &body)?;
    let payments = state.payments.clone();
    let write = move |ticket: Arc<Ticket>| async move { write(&state, caller.user, id, &body, &ticket).await };
    once(&payments, IDEMPOTENCY, caller.user, key, print, write).await
}

async fn write(
    state: &AppState,
    requested_by: Uuid,
    payment_id: Uuid,
    body: &RequestRefund,
    ticket: &Ticket,
) -> Result<Response, ApiError> {
    let store = |error: sqlx::Error| ApiError::from(state.payments.error(&error));
    let mut transaction = state.payments.begin().await?;
    let left = left_of(&mut transaction, payment_id).await.map_err(store)??;
    if body.amount_cents > left {
        let detail = format!("is {}: {left} are left to give back", body.amount_cents);
        return Err(ApiError::invalid_field("/amount_cents", detail));
    }
    let requested = Requested {
        id: Uuid::now_v7(),
        payment_id,
        amount_cents: body.amount_cents,
        reason: body.reason.as_deref(),
        requested_by,
    };
    let created_at = refund::insert(&mut transaction, &requested).await.map_err(store)?;
    let refund = Refund {
        id: requested.id,
        payment_id,
        amount_cents: body.amount_cents,
        status: RefundStatus::Pending,
        reason: body.reason.clone(),
        created_at,
    };
    let answer = serde_json::to_string(&refund).map_err(|error| ApiError::internal(SERVICE, error))?;
    let location = format!("{PAYMENTS}/{payment_id}");
    ticket
        .finish(&mut transaction, StatusCode::CREATED, Some(&location), &answer)
        .await?;
    state.payments.commit(transaction).await?;
    Ok(made(location, answer))
}

fn made(location: String, answer: String) -> Response {
    let headers = [
        (header::LOCATION, location),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    (StatusCode::CREATED, headers, answer).into_response()
}

/// Captured, and neither given back nor being given back. Locks the payment.
async fn left_of(transaction: &mut PgConnection, id: Uuid) -> Result<Result<i64, ApiError>, sqlx::Error> {
    let mut locked = payment::lock_by_id(transaction, &[id]).await?;
    if let Some(later) = locked.later.pop() {
        return Ok(Err(ApiError::conflict(later.to_string())));
    }
    let Some(payment) = locked.known.pop() else {
        return Ok(Err(no_payment(id)));
    };
    match payment.standing.phase {
        Phase::Captured => {
            let pending = refund::pending_cents(transaction, id).await?;
            Ok(Ok(payment.amount_cents - payment.refunded_cents - pending))
        }
        Phase::New | Phase::Tombstone => Ok(Err(no_payment(id))),
        Phase::Refunding | Phase::Refunded => Ok(Err(ApiError::conflict("all of it is being or was given back"))),
        Phase::Authorizing
        | Phase::Authorized
        | Phase::Declined
        | Phase::Capturing
        | Phase::Voiding
        | Phase::Voided => Ok(Err(ApiError::conflict("nothing was captured"))),
    }
}

fn problems(body: &RequestRefund) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: &str, detail: String| {
        errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail,
        });
    };
    if body.amount_cents < 1 {
        wrong("/amount_cents", format!("is {}: must be at least 1", body.amount_cents));
    }
    let unfit = |text: &str| text.chars().count() > REASON || text.contains(char::is_control);
    if body.reason.as_deref().is_some_and(unfit) {
        wrong("/reason", format!("must have at most {REASON} characters on one line"));
    }
    errors
}
