//! The settings of `order`, read from the environment the operator sets. The worker needs fewer than the API.

use shop_contract::env;
use shop_kit_config::{Env, Secret};
use shop_kit_events::Broker;
use shop_kit_postgres::OrdersSettings;
use shop_kit_token::Verifier;

#[derive(Clone)]
pub struct ApiConfig {
    pub orders: OrdersSettings,
    pub verifier: Verifier,
    pub synthetic_key: Secret,
    pub product_url: String,
}

#[derive(Clone)]
pub struct WorkConfig {
    pub orders: OrdersSettings,
    pub broker: Broker,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, synthetic_key) = (OrdersSettings::read(env), env.secret(env::SYNTHETIC_KEY));
        let verifier = env.text(env::TOKEN_PUBLIC_KEY).and_then(|key| {
            Verifier::from_public_key(&key)
                .map_err(|error| env.problem(env::TOKEN_PUBLIC_KEY, error))
                .ok()
        });
        let product_url = env
            .text(env::PRODUCT_URL)
            .map(|url| url.trim_end_matches('/').to_owned());
        Some(Self {
            orders: orders?,
            verifier: verifier?,
            synthetic_key: synthetic_key?,
            product_url: product_url?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, broker) = (OrdersSettings::read(env), Broker::read(env));
        Some(Self {
            orders: orders?,
            broker: broker?,
        })
    }
}
