//! The program `product`: reads the environment and starts what was asked for. No rule lives here.

use clap::{Parser, Subcommand};
use shop_kit_postgres::{CatalogSettings, Pool, migrate};
use shop_kit_process::{Process, finish, logs, settings};
use shop_product::cache::RedisCache;
use shop_product::config::Config;
use shop_product::job::seed;
use shop_product::router::{AppState, router};
use shop_product::{MIGRATIONS_TABLE, migrator};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

const TIER: &str = "postgres/catalog";

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
}

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve().await,
        Verb::Migrate { deadline } => {
            let (own, catalog) = settings(CatalogSettings::read)?;
            logs(&own)?;
            let deadline = Instant::now() + Duration::from_secs(deadline);
            let (at, role) = (&catalog.primary, &catalog.credentials);
            Ok(migrate(TIER, at, role, catalog.timeouts, migrator(), MIGRATIONS_TABLE, deadline).await?)
        }
        Verb::Seed { products } => fill(products).await,
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(Config::read)?;
    let process = Process::begin("product", own).await?;
    let pool = pool(&config.catalog);
    let redis = RedisCache::start(config.redis, process.stop.clone());
    process
        .serve(router(AppState::new(pool, redis, process.metrics.registry())?))
        .await
}

async fn fill(products: u32) -> anyhow::Result<()> {
    let (own, catalog) = settings(CatalogSettings::read)?;
    logs(&own)?;
    let begun = Instant::now();
    let added = seed::seed(&pool(&catalog), products).await?;
    tracing::info!(
        added,
        already_there = u64::from(products) - added,
        took_ms = begun.elapsed().as_millis() as u64,
        "seeded"
    );
    Ok(())
}

fn pool(catalog: &CatalogSettings) -> Pool {
    Pool::lazy(TIER, &catalog.pooler, &catalog.credentials, catalog.timeouts)
}
