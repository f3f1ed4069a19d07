//! The program `product`: reads the environment and starts what was asked for. No rule lives here.

use crate::config::{ApiConfig, WorkConfig};
use crate::job::seed;
use crate::start;
use clap::{Parser, Subcommand};
use shop_contract::event::PRODUCT_WORK;
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::CatalogSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// The catalogue of the shop. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "product", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
    /// Relay events to RabbitMQ and bring changed products to the cache.
    Work,
    /// Bring the tables up to date, then end.
    Migrate {
        /// Seconds to keep trying while the database does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
    /// Fill the catalogue with believable products; those that are there stay as they are.
    Seed {
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        products: u32,
    },
    /// What the worker could not handle: list it, hand it over again or drop it.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
}

#[tokio::main]
pub async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve().await,
        Verb::Work => work().await,
        Verb::Migrate { deadline } => {
            let (own, catalog) = settings(CatalogSettings::read)?;
            logs(&own)?;
            start::migrate(catalog, Instant::now() + Duration::from_secs(deadline)).await
        }
        Verb::Seed { products } => fill(products).await,
        Verb::DeadLetters(command) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(command, &broker, &[PRODUCT_WORK]).await?)
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(ApiConfig::read)?;
    let process = Process::begin("product", own).await?;
    let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
    process.serve(router).await
}

async fn work() -> anyhow::Result<()> {
    let (own, config) = settings(WorkConfig::read)?;
    let process = Process::begin("product", own).await?;
    let work = start::work(config, process.metrics.registry(), process.stop.clone());
    process.work(work, Duration::from_secs(20)).await
}

async fn fill(products: u32) -> anyhow::Result<()> {
    let (own, catalog) = settings(CatalogSettings::read)?;
    logs(&own)?;
    let begun = Instant::now();
    let added = seed::seed(&start::pool(&catalog), products).await?;
    tracing::info!(
        added,
        already_there = u64::from(products) - added,
        took_ms = begun.elapsed().as_millis() as u64,
        "seeded"
    );
    Ok(())
}
