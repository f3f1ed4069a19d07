//! The settings of `recommendation`, read from the environment the operator sets.

use shop_kit_config::Env;
use shop_kit_events::Broker;
use shop_kit_postgres::CatalogSettings;
use shop_kit_token::Verifier;

#[derive(Clone, Debug)]
pub struct ApiConfig {
    pub catalog: CatalogSettings,
    pub verifier: Verifier,
}

#[derive(Clone, Debug)]
pub struct WorkConfig {
    pub catalog: CatalogSettings,
    pub broker: Broker,
}

impl ApiConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (catalog, verifier) = (CatalogSettings::read(env), Verifier::read(env));
        Some(Self {
            catalog: catalog?,
            verifier: verifier?,
        })
    }
}

impl WorkConfig {
    pub fn read(env: &Env) -> Option<Self> {
        let (catalog, broker) = (CatalogSettings::read(env), Broker::read(env));
        Some(Self {
            catalog: catalog?,
            broker: broker?,
        })
    }
}
