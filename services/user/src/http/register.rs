//! `POST /api/v1/users`. Registering claims the address in the directory first and writes the account, its event and the
//! kept answer second, in one transaction of the account's shard; when the second step is lost, the next attempt with
//! the same address finishes it.

use super::SERVICE;
use crate::account::{self, Wanted};
use crate::router::AppState;
use crate::store::user::NewUser;
use crate::store::{directory, user};
use crate::{KEPT_ANSWERS, TABLES};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::user::Account;
use shop_contract::api::{RegisterUser, Role, USERS};
use shop_contract::event::{USER_REGISTERED, UserRegistered};
use shop_kit_http::{ApiError, Json, Synthetic, to_the_end};
use shop_kit_idempotency::{Begin, IdempotencyKey, Ticket, begin, fingerprint};
use uuid::Uuid;

/// Register. The account is a customer's.
#[utoipa::path(
    post,
    path = USERS,
    operation_id = "register",
    tag = "accounts",
    request_body = RegisterUser,
    params((
        "idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255,
        description = "Belongs to the e-mail address, because nobody is known yet: with another address it is another key"
    )),
    responses(
        (status = 201, body = Account, headers(("location" = String))),
        (status = 403, description = "The synthetic header does not carry the shop's key"),
        (status = 409, description = "The e-mail address is registered already")
    )
)]
pub async fn register(
    State(state): State<AppState>,
    Synthetic(synthetic): Synthetic,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<RegisterUser>,
) -> Result<Response, ApiError> {
    to_the_end(once(state, synthetic, key, body)).await
}

/// However often it is asked for under this key.
async fn once(state: AppState, synthetic: bool, key: Option<String>, body: RegisterUser) -> Result<Response, ApiError> {
    let asked = (body.email.clone(), body.name.clone(), body.id);
    let wanted = account::check(body, synthetic).map_err(ApiError::invalid)?;
    let id = wanted.id.unwrap_or_else(Uuid::now_v7);
    let holder = directory::claim(&state.shards, &wanted.email, id).await?;
    if wanted.id.is_some_and(|chosen| chosen != holder) {
        return Err(taken());
    }
    let Some(key) = key else {
        return write(&state, &wanted, holder, synthetic, None).await;
    };
    let pool = state.shards.of_user(holder)?.pool;
    // The password is left out: a fast hash of it must not lie beside the slow one.
    let fingerprint = fingerprint("POST /api/v1/users", &asked)?;
    match begin(&pool, KEPT_ANSWERS, holder, &key, &fingerprint).await? {
        Begin::Replay(answer) => same_password(&state, holder, wanted.password, answer).await,
        Begin::Fresh(ticket) => {
            let written = write(&state, &wanted, holder, synthetic, Some(&ticket)).await;
            if written.is_err() {
                ticket.abandon(&pool).await;
            }
            written
        }
    }
}

/// An answer is repeated only to whoever knows the password it was given for.
async fn same_password(state: &AppState, id: Uuid, password: String, answer: Response) -> Result<Response, ApiError> {
    let found = user::find(&state.shards, id).await?;
    let hash = found.map(|found| found.password_hash);
    if state.passwords.verify(password, hash).await? {
        return Ok(answer);
    }
    let detail = "this `idempotency-key` was used for another request: use a new one";
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Err(ApiError::new(status, "idempotency-key-reused", detail))
}

async fn write(
    state: &AppState,
    wanted: &Wanted,
    id: Uuid,
    synthetic: bool,
    ticket: Option<&Ticket>,
) -> Result<Response, ApiError> {
    if user::exists(&state.shards, id).await? {
        return Err(taken());
    }
    let password_hash = state.passwords.hash(wanted.password.clone()).await?;
    let new = NewUser {
        id,
        email: &wanted.email,
        name: &wanted.name,
        password_hash: &password_hash,
        synthetic,
    };
    let pool = state.shards.of_user(id)?.pool;
    let store = |error: sqlx::Error| ApiError::from(pool.error(&error));
    let mut transaction = pool.begin().await?;
    let Some(created_at) = user::insert(&mut transaction, &new).await.map_err(store)? else {
        return Err(taken());
    };
    let event = UserRegistered {
        event_id: Uuid::now_v7(),
        user_id: id,
        synthetic,
    };
    shop_kit_events::append(&mut transaction, &TABLES, event.event_id, USER_REGISTERED, &event)
        .await
        .map_err(store)?;
    let account = Account {
        id,
        email: wanted.email.as_str().to_owned(),
        name: wanted.name.clone(),
        role: Role::Customer,
        created_at,
    };
    let location = format!("{USERS}/me");
    if let Some(ticket) = ticket {
        let body = serde_json::to_string(&account).map_err(|error| ApiError::internal(SERVICE, error))?;
        ticket
            .finish(&mut transaction, StatusCode::CREATED, Some(&location), &body)
            .await?;
    }
    pool.commit(transaction).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(account)).into_response())
}

fn taken() -> ApiError {
    ApiError::conflict("this e-mail address or id is registered already")
}
