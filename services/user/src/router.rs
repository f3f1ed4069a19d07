//! The routes of this service and what their handlers share.

use crate::config::Config;
use crate::http::{session, user};
use crate::password::Passwords;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use shop_contract::api::{SESSIONS, USERS};
use shop_kit_http::SyntheticKey;
use shop_kit_postgres::ShardedPool;
use shop_kit_token::{Signer, Verifier};
use std::time::Duration;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub shards: ShardedPool,
    pub passwords: Passwords,
    pub signer: Signer,
    pub verifier: Verifier,
    pub synthetic_key: SyntheticKey,
}

impl AppState {
    pub fn new(config: &Config, shards: ShardedPool, patience: Duration) -> Self {
        Self {
            shards,
            passwords: Passwords::new(patience),
            signer: config.signer.clone(),
            verifier: config.signer.verifier(),
            synthetic_key: SyntheticKey::new(config.synthetic_key.expose()),
        }
    }
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route(USERS, post(user::register))
        .route(&format!("{USERS}/me"), get(user::me))
        .route(SESSIONS, post(session::log_in))
        .with_state(state)
}
