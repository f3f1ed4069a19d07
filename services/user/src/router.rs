//! The routes of this service and what their handlers share.

use crate::config::ApiConfig;
use crate::http::{account, address, keys, login, notification, register, session, staff};
use crate::password::Passwords;
use crate::webhook::WebhookRules;
use axum::Router;
use axum::extract::FromRef;
use prometheus::{IntCounter, Registry};
use shop_contract::api::USERS;
use shop_kit_http::SyntheticKey;
use shop_kit_http::openapi::{self, Document};
use shop_kit_postgres::ShardedPool;
use shop_kit_token::{Signer, Verifier};
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub shards: ShardedPool,
    pub passwords: Passwords,
    pub signer: Signer,
    pub verifier: Verifier,
    pub synthetic_key: SyntheticKey,
    pub reused: ReusedTokens,
    pub webhooks: WebhookRules,
}

/// Counts refresh tokens that came twice: somebody else has a copy, or a client is wrong.
#[derive(Clone)]
pub struct ReusedTokens(pub IntCounter);

impl AppState {
    /// `patience` is how long a log-in waits for its turn.
    pub fn new(
        config: &ApiConfig,
        shards: ShardedPool,
        patience: Duration,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let name = "shop_refresh_tokens_reused_total";
        let reused = IntCounter::new(name, "Refresh tokens that came a second time and ended their session")?;
        registry.register(Box::new(reused.clone()))?;
        Ok(Self {
            shards,
            passwords: Passwords::new(patience),
            signer: config.signer.clone(),
            verifier: config.verifier.clone(),
            synthetic_key: SyntheticKey::new(config.synthetic_key.expose()),
            reused: ReusedTokens(reused),
            webhooks: config.webhooks,
        })
    }
}

fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(account::show, account::edit, account::delete))
        .routes(routes!(account::change_password))
        .routes(routes!(address::list, address::add))
        .routes(routes!(address::show, address::replace, address::remove))
        .routes(routes!(staff::show))
        .routes(routes!(staff::set_role))
        .routes(routes!(login::log_in, session::list, session::end_all))
        .routes(routes!(login::refresh))
        .routes(routes!(session::end_current))
        .routes(routes!(session::end))
        .routes(routes!(keys::show))
        .merge(notification::routes())
}

/// What the API says of itself.
pub fn document() -> Document {
    openapi::document("user", routes().into_openapi())
}

pub fn router(state: AppState) -> Router {
    let (router, api) = routes().split_for_parts();
    let document = openapi::document("user", api);
    router.merge(document.routes(USERS)).with_state(state)
}
