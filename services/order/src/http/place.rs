//! `POST /api/v1/orders`: looks at the body, then hands over to the checkout.

use crate::checkout::Checkout;
use crate::http::body;
use crate::payment_token;
use crate::router::AppState;
use axum::extract::{Extension, State};
use axum::response::Response;
use shop_contract::api::{ORDERS, Order, PlaceOrder};
use shop_contract::probe::SYNTHETIC_HEADER;
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, RequestId, Synthetic, to_the_end};
use shop_kit_idempotency::IdempotencyKey;
use shop_kit_token::Caller;

/// Place an order: of the lines, or of the cart, which is empty afterwards. Answers as soon as the stock is reserved and
/// the order is durable; payment follows. A price is the catalogue's, at most one second old.
#[utoipa::path(
    post,
    path = ORDERS,
    operation_id = "placeOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "The same key and body are the same order")),
    request_body = PlaceOrder,
    responses(
        (status = 201, body = Order, headers(("location" = String), ("idempotency-replayed" = Option<String>))),
        (status = 409, description = "Out of stock, or the cart changed meanwhile, or the key is in use"),
    ),
)]
pub async fn place(
    State(state): State<AppState>,
    caller: Caller,
    Synthetic(marked): Synthetic,
    Extension(request_id): Extension<RequestId>,
    IdempotencyKey(key): IdempotencyKey,
    body::Checkout(mut body): body::Checkout,
) -> Result<Response, ApiError> {
    if marked != caller.synthetic {
        let detail = format!("synthetic customers, and only they, order with `{SYNTHETIC_HEADER}`");
        return Err(ApiError::forbidden(detail));
    }
    let errors = problems(&mut body, marked);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let checkout = Checkout {
        state,
        user: caller.user,
        synthetic: marked,
        request: request_id,
        body,
    };
    to_the_end(checkout.run(key)).await
}

/// All of them at once. The address is written as it is kept.
fn problems(body: &mut PlaceOrder, synthetic: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(lines) = &body.lines {
        errors.extend(crate::lines::problems(lines, synthetic));
    }
    if let Some(rule) = payment_token::broken_rule(&body.payment_token) {
        errors.push(FieldError::new("/payment_token", rule));
    }
    if let Some(address) = &mut body.ship_to {
        match address.checked("/ship_to") {
            Ok(checked) => *address = checked,
            Err(wrong) => errors.extend(wrong),
        }
        let cards = address
            .fields()
            .filter(|(_, text)| payment_token::looks_like_card(text));
        errors.extend(cards.map(|(field, _)| FieldError::new(format!("/ship_to/{field}"), payment_token::NO_CARD)));
    }
    errors
}
