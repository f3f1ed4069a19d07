//! The settings of `user`, read from the environment the operator sets.

use shop_contract::env;
use shop_kit_config::{Env, Secret};
use shop_kit_postgres::OrdersSettings;
use shop_kit_token::Signer;

#[derive(Clone)]
pub struct Config {
    pub orders: OrdersSettings,
    pub signer: Signer,
    pub synthetic_key: Secret,
}

impl Config {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, synthetic_key) = (OrdersSettings::read(env), env.secret(env::SYNTHETIC_KEY));
        let signer = env.secret(env::TOKEN_SEED).and_then(|seed| {
            Signer::from_seed(seed.expose())
                .map_err(|error| env.problem(env::TOKEN_SEED, error))
                .ok()
        });
        Some(Self {
            orders: orders?,
            signer: signer?,
            synthetic_key: synthetic_key?,
        })
    }
}
