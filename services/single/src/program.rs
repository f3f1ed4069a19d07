//! The program `shop-single`: reads the environment and starts what was asked for. No rule lives here.

use crate::all::{Apis, Schemas, Workers};
use clap::{Parser, Subcommand};
use shop_contract::api::Role;
use shop_contract::event::QUEUES;
use shop_inventory::job::seed::{seed_catalogue, set_products};
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::{CatalogSettings, OrdersSettings};
use shop_kit_process::{Process, finish, logs, settings};
use shop_user::grant;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
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
    /// Give an account a role; it holds when its access token is renewed, within 15 minutes.
    Grant {
        #[arg(long)]
        email: String,
        /// customer, merchant, support or admin.
        #[arg(long, value_parser = grant::role_of)]
        role: Role,
    },
    /// Look at events that could not be handled, and handle or drop them.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
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
pub async fn main() -> ExitCode {
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
        Verb::Grant { email, role } => {
            let (own, orders) = settings(OrdersSettings::read)?;
            logs(&own)?;
            let shards = shop_user::start::open(&orders, CancellationToken::new())?;
            grant::grant(&shards, &email, role).await?;
            println!("{email} has the role {role:?} now");
            Ok(())
        }
        Verb::DeadLetters(verb) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(verb, &broker, QUEUES).await?)
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
