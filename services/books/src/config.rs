//! The settings of `books`, read from the environment the operator sets. The worker needs more databases than the API.

use shop_kit_config::Env;
use shop_kit_postgres::{CatalogSettings, OrdersSettings, PaymentsSettings};
use shop_kit_token::Verifier;

#[derive(Clone)]
pub struct ApiConfig {
    pub payments: PaymentsSettings,
    pub verifier: Verifier,
}

#[derive(Clone)]
pub struct WorkConfig {
    pub orders: OrdersSettings,
    pub catalog: CatalogSettings,
    pub payments: PaymentsSettings,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (payments, verifier) = (PaymentsSettings::read(env), Verifier::read(env));
        Some(Self {
            payments: payments?,
            verifier: verifier?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, catalog) = (OrdersSettings::read(env), CatalogSettings::read(env));
        let payments = PaymentsSettings::read(env);
        Some(Self {
            orders: orders?,
            catalog: catalog?,
            payments: payments?,
        })
    }
}
