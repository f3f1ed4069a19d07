//! The seven services, listed once. Each brings the same three things: an API, workers and migrations, with settings of
//! their own that are all read from the one environment.

use crate::part;
use axum::Router;
use prometheus::Registry;
use shop_kit_config::Env;
use shop_kit_postgres::{CatalogSettings, OrdersSettings, PaymentsSettings};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

macro_rules! services {
    ($($name:ident = $service:ident, $database:ident;)+) => {
        /// What the APIs read.
        pub struct Apis {
            $($name: $service::config::ApiConfig,)+
        }

        /// What the workers read.
        pub struct Workers {
            $($name: $service::config::WorkConfig,)+
        }

        /// Where the tables lie.
        pub struct Schemas {
            $($name: $database,)+
        }

        impl Apis {
            /// All problems at once: every service reads before any is missed.
            pub fn read(env: &Env) -> Option<Self> {
                $(let $name = $service::config::ApiConfig::read(env);)+
                Some(Self { $($name: $name?,)+ })
            }

            pub async fn start(self, whole: &Registry, stop: &CancellationToken) -> anyhow::Result<Router> {
                let mut router = Router::new();
                $(
                    let registry = part::registry(whole, stringify!($name), "serve")?;
                    router = router.merge($service::start::api(self.$name, &registry, stop.clone()).await?);
                )+
                Ok(router)
            }
        }

        impl Workers {
            pub fn read(env: &Env) -> Option<Self> {
                $(let $name = $service::config::WorkConfig::read(env);)+
                Some(Self { $($name: $name?,)+ })
            }

            /// Until `stop`, or until one of them cannot go on.
            pub async fn run(self, whole: &Registry, stop: &CancellationToken) -> anyhow::Result<()> {
                $(
                    let registry = part::registry(whole, stringify!($name), "work")?;
                    let token = stop.clone();
                    let $name = async move { $service::start::work(self.$name, &registry, token).await };
                )+
                tokio::try_join!($($name,)+)?;
                Ok(())
            }
        }

        impl Schemas {
            pub fn read(env: &Env) -> Option<Self> {
                $(let $name = $database::read(env);)+
                Some(Self { $($name: $name?,)+ })
            }

            pub async fn migrate(self, deadline: Instant) -> anyhow::Result<()> {
                $($service::start::migrate(self.$name, deadline).await?;)+
                Ok(())
            }
        }
    };
}

services! {
    user = shop_user, OrdersSettings;
    product = shop_product, CatalogSettings;
    order = shop_order, OrdersSettings;
    inventory = shop_inventory, CatalogSettings;
    payment = shop_payment, PaymentsSettings;
    recommendation = shop_recommendation, CatalogSettings;
    books = shop_books, PaymentsSettings;
}
