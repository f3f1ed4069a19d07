//! The settings of `payment`, read from the environment the operator sets. The API and the worker need different ones.

use crate::provider::TestSettings;
use shop_contract::env;
use shop_kit_config::{Env, Secret};
use shop_kit_events::Broker;
use shop_kit_postgres::PaymentsSettings;
use shop_kit_token::Verifier;
use std::time::Duration;

// Set in the spec, by whoever tries faults: names that begin with SHOP_ are the operator's own.
/// Of a hundred questions to the test provider, so many stay without an answer. For fault runs; 0 unless set.
pub const TEST_TIMEOUT_PERCENT: &str = "PAYMENT_TEST_TIMEOUT_PERCENT";
/// Milliseconds the test provider takes for each question. For measurements; 0 unless set.
pub const TEST_DELAY_MS: &str = "PAYMENT_TEST_DELAY_MS";

#[derive(Clone)]
pub struct ApiConfig {
    pub payments: PaymentsSettings,
    pub verifier: Verifier,
    pub webhook_secret: Secret,
}

#[derive(Clone)]
pub struct WorkConfig {
    pub payments: PaymentsSettings,
    pub broker: Broker,
    pub webhook_secret: Secret,
    pub test_provider: TestSettings,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (payments, webhook_secret) = (PaymentsSettings::read(env), env.secret(env::WEBHOOK_SECRET));
        let verifier = env.text(env::TOKEN_PUBLIC_KEY).and_then(|key| {
            Verifier::from_public_key(&key)
                .map_err(|error| env.problem(env::TOKEN_PUBLIC_KEY, error))
                .ok()
        });
        Some(Self {
            payments: payments?,
            verifier: verifier?,
            webhook_secret: webhook_secret?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (payments, broker) = (PaymentsSettings::read(env), Broker::read(env));
        let (webhook_secret, test_provider) = (env.secret(env::WEBHOOK_SECRET), test_settings(env));
        Some(Self {
            payments: payments?,
            broker: broker?,
            webhook_secret: webhook_secret?,
            test_provider: test_provider?,
        })
    }
}

fn test_settings(env: &Env) -> Option<TestSettings> {
    let (percent, delay) = (
        env.parsed_or(TEST_TIMEOUT_PERCENT, 0_u8),
        env.parsed_or(TEST_DELAY_MS, 0_u64),
    );
    let timeout_percent = percent?;
    if timeout_percent > 100 {
        env.problem(
            TEST_TIMEOUT_PERCENT,
            format!("is {timeout_percent}: must be at most 100"),
        );
        return None;
    }
    Some(TestSettings {
        timeout_percent,
        delay: Duration::from_millis(delay?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_providers_settings_are_bounded() {
        let read = |percent: &str| {
            let env = Env::of([
                (TEST_TIMEOUT_PERCENT, percent.to_owned()),
                (TEST_DELAY_MS, "20".to_owned()),
            ]);
            let settings = test_settings(&env);
            env.finish(settings)
        };
        let settings = read("30").unwrap();
        assert_eq!((settings.timeout_percent, settings.delay.as_millis()), (30, 20));
        assert!(read("101").is_err() && read("-1").is_err());
    }
}
