//! `POST /api/v1/sessions`: log in. An unknown address and a wrong password are the same answer after the same work.

use crate::email::Email;
use crate::router::AppState;
use crate::store::{directory, user};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use shop_contract::api::{LogIn, Session};
use shop_kit_http::{ApiError, Json};
use shop_kit_token::{Claims, LIFETIME_SECONDS};
use std::time::{SystemTime, UNIX_EPOCH};

/// No password is longer, so none of them is hashed.
const LONGEST_PASSWORD: usize = 1024;

pub async fn log_in(State(state): State<AppState>, Json(body): Json<LogIn>) -> Result<impl IntoResponse, ApiError> {
    if body.password.len() > LONGEST_PASSWORD {
        return Err(refused());
    }
    let found = match Email::parse(&body.email) {
        Ok(email) => find(&state, &email).await?,
        Err(_) => None,
    };
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let matches = state.passwords.verify(body.password, hash).await?;
    let Some(found) = found.filter(|_| matches) else {
        return Err(refused());
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default();
    let claims = Claims::new(found.user.id, found.synthetic, now);
    let session = Session {
        access_token: state.signer.sign(&claims),
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME_SECONDS,
        user_id: found.user.id,
    };
    // RFC 6749, 5.1: a token is not for caches.
    Ok((
        StatusCode::OK,
        [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        axum::Json(session),
    ))
}

async fn find(state: &AppState, email: &Email) -> Result<Option<user::StoredUser>, ApiError> {
    let Some(id) = directory::find(&state.shards, email).await? else {
        return Ok(None);
    };
    let found = user::find(&state.shards, id).await?;
    Ok(found.filter(|found| found.user.email == email.as_str()))
}

fn refused() -> ApiError {
    ApiError::unauthorized("the e-mail address or the password is wrong")
}
