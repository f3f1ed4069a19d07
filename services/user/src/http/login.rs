//! Logging in and staying so. An unknown address and a wrong password are the same answer after the same work: two
//! look-ups and one hash. Answers hold secrets, so they are never kept for a repeated request: who loses the answer to a
//! refresh logs in again.

use crate::email::Email;
use crate::refresh::RefreshToken;
use crate::router::AppState;
use crate::store::directory;
use crate::store::session::{self, LIFETIME_SECONDS as REFRESH_SECONDS};
use crate::store::user::{self, StoredUser};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use shop_contract::api::user::{OpenSession, RefreshSession};
use shop_contract::api::{LogIn, Role, SESSIONS};
use shop_kit_http::{ApiError, Json};
use shop_kit_token::{Claims, LIFETIME_SECONDS};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// No password is longer, so none of them is hashed.
const LONGEST_PASSWORD: usize = 1024;
/// Of what a client calls itself, in characters.
const LONGEST_AGENT: usize = 200;

/// Log in.
#[utoipa::path(
    post,
    path = SESSIONS,
    operation_id = "logIn",
    tag = "sessions",
    request_body = LogIn,
    responses(
        (status = 200, body = OpenSession),
        (status = 401, description = "The e-mail address or the password is wrong")
    )
)]
pub async fn log_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(body): Json<LogIn>,
) -> Result<Response, ApiError> {
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
    let token = RefreshToken::first(found.account.id);
    if !session::begin(&state.shards, &token, agent(&headers).as_deref(), &found).await? {
        return Err(refused());
    }
    Ok(opened(&state, &token, found.account.role, found.synthetic))
}

/// Get a new access token and a new refresh token for a refresh token. One that was used before ends its session.
#[utoipa::path(
    post,
    context_path = SESSIONS,
    path = "/refresh",
    operation_id = "refreshSession",
    tag = "sessions",
    request_body = RefreshSession,
    responses(
        (status = 200, body = OpenSession),
        (status = 401, description = "The refresh token does not hold: log in again")
    )
)]
pub async fn refresh(State(state): State<AppState>, Json(body): Json<RefreshSession>) -> Result<Response, ApiError> {
    let token = RefreshToken::parse(&body.refresh_token).ok_or_else(ended)?;
    let next = token.next();
    if let Some(refreshed) = session::refresh(&state.shards, &token, &next).await? {
        return Ok(opened(&state, &next, refreshed.role, refreshed.synthetic));
    }
    if session::end_reused(&state.shards, &token).await? {
        state.reused.0.inc();
        tracing::warn!(user = %token.user, session = %token.session, "a refresh token came twice: its session was ended");
    }
    Err(ended())
}

fn opened(state: &AppState, token: &RefreshToken, role: Role, synthetic: bool) -> Response {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default();
    let claims = Claims::new(token.user, synthetic, now)
        .with_role(role)
        .in_session(token.session);
    let session = OpenSession {
        access_token: state.signer.sign(&claims),
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME_SECONDS,
        refresh_token: token.text(),
        refresh_expires_in: REFRESH_SECONDS.unsigned_abs(),
        session_id: token.session,
        user_id: token.user,
    };
    // RFC 6749, 5.1: a token is not for caches.
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::OK, headers, axum::Json(session)).into_response()
}

/// Looks an account up that does not exist as well, for as long as one that does takes.
async fn find(state: &AppState, email: &Email) -> Result<Option<StoredUser>, ApiError> {
    let id = directory::find(&state.shards, email).await?;
    let found = user::find(&state.shards, id.unwrap_or_else(|| nobody(email))).await?;
    Ok(found.filter(|found| found.account.email == email.as_str()))
}

/// The id of no account (version 8), in one shard per address as a real one would be.
fn nobody(email: &Email) -> Uuid {
    let hash = Sha256::digest(email.as_str().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let agent: String = agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
    Some(agent).filter(|agent| !agent.is_empty())
}

fn refused() -> ApiError {
    ApiError::unauthorized("the e-mail address or the password is wrong")
}

fn ended() -> ApiError {
    ApiError::unauthorized("the refresh token does not hold: log in again")
}
