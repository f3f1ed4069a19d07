//! The program `inventory`: reads the environment and starts what was asked for. No rule lives here.

use crate::config::{ApiConfig, WorkConfig};
use crate::job::seed::{seed_catalogue, seed_numbers, set_products};
use crate::start;
use clap::{Parser, Subcommand};
use shop_contract::event::INVENTORY_WORK;
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::CatalogSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Stock of the shop. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "inventory", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
    /// Claim and release as orders are paid and cancelled, and give back what nobody paid for.
    Work,
    /// Bring the tables up to date, then end.
    Migrate {
        /// Seconds to keep trying while the database does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
    /// Give stock to products: to every listed one that never had any, unless told which.
    Seed {
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(i32).range(1..=1_000_000))]
        quantity: i32,
        /// The first so many of the seeded products, whether they are in the catalogue or not.
        #[arg(long, conflicts_with = "product", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        products: Option<u32>,
        /// Exactly these, to exactly this quantity, whatever they had.
        #[arg(long)]
        product: Vec<Uuid>,
    },
    /// What no worker could handle.
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
        Verb::Seed {
            quantity,
            products,
            product,
        } => seed(quantity, products, product).await,
        Verb::DeadLetters(verb) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(verb, &broker, &[INVENTORY_WORK]).await?)
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(ApiConfig::read)?;
    let process = Process::begin("inventory", own).await?;
    let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
    process.serve(router).await
}

async fn work() -> anyhow::Result<()> {
    let (own, config) = settings(WorkConfig::read)?;
    let process = Process::begin("inventory", own).await?;
    let work = start::work(config, process.metrics.registry(), process.stop.clone());
    process.work(work, Duration::from_secs(20)).await
}

async fn seed(quantity: i32, products: Option<u32>, named: Vec<Uuid>) -> anyhow::Result<()> {
    let (own, catalog) = settings(CatalogSettings::read)?;
    logs(&own)?;
    let (pool, begun) = (start::pool(&catalog), Instant::now());
    let seeded = match products {
        Some(count) => seed_numbers(&pool, count, quantity).await?,
        None if named.is_empty() => seed_catalogue(&pool, quantity).await?,
        None => {
            set_products(&pool, &named, quantity).await?;
            named.len() as u64
        }
    };
    tracing::info!(seeded, quantity, took_ms = begun.elapsed().as_millis() as u64, "seeded");
    Ok(())
}
