//! The program `shop-single`: reads the environment and starts what was asked for. No rule lives here.

use clap::{Parser, Subcommand};
use shop_inventory::job::seed::{seed_catalogue, set_products};
use shop_kit_postgres::CatalogSettings;
use shop_kit_process::{Process, finish, logs, settings};
use shop_single::all::{Apis, Schemas, Workers};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// For the workers to finish what they hold; the API drains meanwhile.
const LIMIT: Duration = Duration::from_secs(20);

/// A whole shop in one process: every API and every worker. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "shop-single", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve every API and run every worker (what it does without a verb).
    Serve,
    /// Run the workers only.
    Work,
    /// Bring the tables of every service up to date, then end.
    Migrate {
        /// Seconds to keep trying while a database does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
    /// Fill the catalogue with believable products, and give stock to those that never had any.
    Seed(Seed),
}

#[derive(clap::Args)]
struct Seed {
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    products: u32,
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(i32).range(1..=1_000_000))]
    quantity: i32,
    /// Instead: stock for exactly these, to exactly this quantity.
    #[arg(long, conflicts_with = "products")]
    product: Vec<Uuid>,
}

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve().await,
        Verb::Work => work().await,
        Verb::Migrate { deadline } => {
            let (own, schemas) = settings(Schemas::read)?;
            logs(&own)?;
            schemas.migrate(Instant::now() + Duration::from_secs(deadline)).await
        }
        Verb::Seed(seed) => fill(seed).await,
    }
}

async fn fill(seed: Seed) -> anyhow::Result<()> {
    let (own, catalog) = settings(CatalogSettings::read)?;
    logs(&own)?;
    let pool = shop_product::start::pool(&catalog);
    if seed.product.is_empty() {
        shop_product::job::seed::seed(&pool, seed.products).await?;
        seed_catalogue(&pool, seed.quantity).await?;
    } else {
        set_products(&pool, &seed.product, seed.quantity).await?;
    }
    Ok(())
}

async fn serve() -> anyhow::Result<()> {
    let (own, (apis, workers)) = settings(|env| {
        let (apis, workers) = (Apis::read(env), Workers::read(env));
        Some((apis?, workers?))
    })?;
    let process = Process::begin("single", own).await?;
    let router = apis.start(process.metrics.registry(), &process.stop).await?;
    let (whole, stop) = (process.metrics.registry().clone(), process.stop.clone());
    let working = tokio::spawn(async move {
        let ended = workers.run(&whole, &stop).await;
        // A shop without workers takes orders it never confirms: the whole process starts anew.
        stop.cancel();
        ended
    });
    process.serve(router).await?;
    tokio::time::timeout(LIMIT, working).await??
}

async fn work() -> anyhow::Result<()> {
    let (own, workers) = settings(Workers::read)?;
    let process = Process::begin("single", own).await?;
    process
        .work(workers.run(process.metrics.registry(), &process.stop), LIMIT)
        .await
}
