//! `POST /api/v1/users` and `GET /api/v1/users/me`. Registering writes the directory row first and the customer second;
//! when the second step is lost, the next attempt with the same address finishes it.

use crate::email::Email;
use crate::router::AppState;
use crate::store::user::NewUser;
use crate::store::{directory, user};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use shop_contract::api::{RegisterUser, User};
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Json, Synthetic};
use shop_kit_token::Caller;
use uuid::Uuid;

/// Characters (NIST SP 800-63B: at least 8, long ones welcome); Argon2 reads all of them.
const PASSWORD: (usize, usize) = (8, 128);
const NAME: (usize, usize) = (1, 100);

pub async fn register(
    State(state): State<AppState>,
    Synthetic(synthetic): Synthetic,
    Json(body): Json<RegisterUser>,
) -> Result<impl IntoResponse, ApiError> {
    let wanted = check(body, synthetic)?;
    let id = match wanted.id {
        Some(id) if user::find(&state.shards, id).await?.is_some() => return Err(taken()),
        Some(id) => id,
        None => Uuid::now_v7(),
    };
    let password_hash = state.passwords.hash(wanted.password).await?;
    let holder = directory::claim(&state.shards, &wanted.email, id).await?;
    if wanted.id.is_some_and(|chosen| chosen != holder) {
        return Err(taken());
    }
    let (email, name) = (&wanted.email, wanted.name.as_str());
    let new = NewUser {
        id: holder,
        email,
        name,
        password_hash: &password_hash,
        synthetic,
    };
    if !user::insert(&state.shards, &new).await? {
        return Err(taken());
    }
    let location = format!("{}/me", shop_contract::api::USERS);
    let body = User {
        id: holder,
        email: wanted.email.as_str().to_owned(),
        name: wanted.name,
    };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)))
}

pub async fn me(State(state): State<AppState>, caller: Caller) -> Result<axum::Json<User>, ApiError> {
    let found = user::find(&state.shards, caller.user).await?;
    found
        .map(|found| axum::Json(found.user))
        .ok_or_else(|| ApiError::not_found("this account does not exist any more"))
}

struct Wanted {
    email: Email,
    name: String,
    password: String,
    id: Option<Uuid>,
}

/// Every field at once.
fn check(body: RegisterUser, synthetic: bool) -> Result<Wanted, ApiError> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: &str, detail: String| {
        errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail,
        })
    };
    let email = Email::parse(&body.email)
        .map_err(|error| wrong("/email", error.to_owned()))
        .ok();
    let name = body.name.trim().to_owned();
    if !(NAME.0..=NAME.1).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        wrong(
            "/name",
            format!("must have {} to {} printable characters", NAME.0, NAME.1),
        );
    }
    if !(PASSWORD.0..=PASSWORD.1).contains(&body.password.chars().count()) {
        wrong(
            "/password",
            format!("must have {} to {} characters", PASSWORD.0, PASSWORD.1),
        );
    }
    if body.id.is_some() && !synthetic {
        wrong("/id", "is chosen by the shop".to_owned());
    }
    match email {
        Some(email) if errors.is_empty() => Ok(Wanted {
            email,
            name,
            password: body.password,
            id: body.id,
        }),
        _ => Err(ApiError::invalid(errors)),
    }
}

fn taken() -> ApiError {
    ApiError::conflict("this e-mail address or id is registered already")
}
