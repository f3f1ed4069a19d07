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
    pub inventory_url: String,
}

#[derive(Clone)]
pub struct WorkConfig {
    pub orders: OrdersSettings,
    pub broker: Broker,
    /// Full months whose orders stay attached, and older ones until every order in them is at its end; all of them
    /// without it.
    pub keep_months: Option<u32>,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, synthetic_key) = (OrdersSettings::read(env), env.secret(env::SYNTHETIC_KEY));
        let verifier = Verifier::read(env);
        let url = |name| env.text(name).map(|url| url.trim_end_matches('/').to_owned());
        let (product_url, inventory_url) = (url(env::PRODUCT_URL), url(env::INVENTORY_URL));
        Some(Self {
            orders: orders?,
            verifier: verifier?,
            synthetic_key: synthetic_key?,
            product_url: product_url?,
            inventory_url: inventory_url?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, broker, keep_months) = (OrdersSettings::read(env), Broker::read(env), keep_months(env));
        Some(Self {
            orders: orders?,
            broker: broker?,
            keep_months: keep_months?,
        })
    }
}

/// `None` is a problem, `Some(None)` is all months.
fn keep_months(env: &Env) -> Option<Option<u32>> {
    let months = match env.optional(env::ORDERS_KEEP_MONTHS) {
        Some(_) => Some(env.parsed::<u32>(env::ORDERS_KEEP_MONTHS)?),
        None => None,
    };
    if months == Some(0) {
        env.problem(
            env::ORDERS_KEEP_MONTHS,
            "is 0: must be at least 1, or not set to keep all",
        );
        return None;
    }
    Some(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_to_keep_are_a_number_or_all() {
        let read = |value: &str| keep_months(&Env::of([(env::ORDERS_KEEP_MONTHS, value.to_owned())]));
        assert_eq!((read(""), read("24")), (Some(None), Some(Some(24))));
        assert_eq!((read("0"), read("-1"), read("x")), (None, None, None));
    }
}
