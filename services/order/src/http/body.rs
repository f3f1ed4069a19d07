//! The body of a checkout. Somebody may have put a card number anywhere in it, also where a name belongs, so what is
//! wrong with it is told without repeating anything that looks like one.

use crate::payment_token::looks_like_card;
use axum::extract::{FromRequest, Request};
use shop_contract::api::PlaceOrder;
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Json};

pub struct Checkout(pub PlaceOrder);

impl<S: Send + Sync> FromRequest<S> for Checkout {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(mut error) => {
                error.errors = error.errors.into_iter().map(without_cards).collect();
                Err(error)
            }
        }
    }
}

fn without_cards(error: FieldError) -> FieldError {
    if looks_like_card(&error.pointer) || looks_like_card(&error.detail) {
        return FieldError {
            pointer: String::new(),
            detail: "has a field that is not expected here".to_owned(),
        };
    }
    error
}
