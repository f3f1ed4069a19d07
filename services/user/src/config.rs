//! The settings of `user`, read from the environment the operator sets. The worker needs others than the API.

use crate::mail::MailSettings;
use crate::webhook::WebhookRules;
use shop_contract::env;
use shop_kit_config::{Env, Secret};
use shop_kit_events::Broker;
use shop_kit_postgres::OrdersSettings;
use shop_kit_token::{Signer, Verifier};

#[derive(Clone)]
pub struct ApiConfig {
    pub orders: OrdersSettings,
    pub signer: Signer,
    pub verifier: Verifier,
    pub synthetic_key: Secret,
    pub webhooks: WebhookRules,
}

#[derive(Clone)]
pub struct WorkConfig {
    pub orders: OrdersSettings,
    pub broker: Broker,
    pub mail: MailSettings,
    pub webhooks: WebhookRules,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, synthetic_key) = (OrdersSettings::read(env), env.secret(env::SYNTHETIC_KEY));
        let webhooks = WebhookRules::read(env);
        let signer = env.secret(env::TOKEN_SEED).and_then(|seeds| {
            Signer::from_seed(seeds.expose())
                .map_err(|error| env.problem(env::TOKEN_SEED, error))
                .ok()
        });
        // Keys that only check: of a seed that is not here yet, or not any more.
        let others = match env.optional(env::TOKEN_PUBLIC_KEY) {
            Some(_) => Some(Verifier::read(env)?),
            None => None,
        };
        let signer = signer?;
        let own = signer.verifier();
        Some(Self {
            orders: orders?,
            verifier: others.map_or(own.clone(), |others| own.and(&others)),
            signer,
            synthetic_key: synthetic_key?,
            webhooks: webhooks?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (orders, broker) = (OrdersSettings::read(env), Broker::read(env));
        let (mail, webhooks) = (MailSettings::read(env), WebhookRules::read(env));
        Some(Self {
            orders: orders?,
            broker: broker?,
            mail: mail?,
            webhooks: webhooks?,
        })
    }
}
