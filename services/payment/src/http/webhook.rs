//! `POST /api/v1/payments/webhooks`: the provider's door. No token; the signature says who it is.

use crate::router::AppState;
use crate::{signature, webhook};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use shop_contract::api::payment::PaymentWebhook;
use shop_kit_http::ApiError;

/// Tells what became of a request that was answered with "pending" or not at all.
#[utoipa::path(
    post,
    path = "/api/v1/payments/webhooks",
    operation_id = "receivePaymentWebhook",
    tag = "payments",
    params(("shop-signature" = String, Header, description = "`t=<seconds since 1970>,v1=<hex of HMAC-SHA-256 over t.body>`, at most 5 minutes old")),
    request_body = PaymentWebhook,
    responses(
        (status = 204, description = "Written, now or before"),
        (status = 401, description = "The signature does not hold")
    )
)]
pub async fn receive(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, ApiError> {
    let signed = headers.get(signature::HEADER).and_then(|value| value.to_str().ok());
    webhook::receive(&state.payments, &state.webhook_secret, signed, webhook::now(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
