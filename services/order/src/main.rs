//! The program `order`: reads the environment and starts what was asked for. No rule lives here.

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use shop_kit_events::RelayMetrics;
use shop_kit_postgres::{OrdersSettings, ShardedPool, migrate_shards};
use shop_kit_process::{Process, finish, logs, settings};
use shop_order::config::{ApiConfig, WorkConfig};
use shop_order::job::work::work;
use shop_order::router::{AppState, router};
use shop_order::{MIGRATIONS_TABLE, migrator};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// Orders of the shop. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "order", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
    /// Relay events to RabbitMQ, accept placed orders, remove test orders.
    Work,
    /// Bring the tables of every shard up to date, then end.
    Migrate {
        /// Seconds to keep trying while a shard does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => serve().await,
        Verb::Work => run_worker().await,
        Verb::Migrate { deadline } => {
            let (own, orders) = settings(OrdersSettings::read)?;
            logs(&own)?;
            let deadline = Instant::now() + Duration::from_secs(deadline);
            migrate_shards(&orders, migrator, MIGRATIONS_TABLE, deadline)
                .await
                .map_err(|error| anyhow!(error))
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(ApiConfig::read)?;
    let process = Process::begin("order", own).await?;
    let shards = ShardedPool::open(config.orders.clone(), process.stop.clone()).map_err(|error| anyhow!(error))?;
    process
        .serve(router(AppState::new(&config, shards, Duration::from_secs(2))?))
        .await
}

async fn run_worker() -> anyhow::Result<()> {
    let (own, config) = settings(WorkConfig::read)?;
    let process = Process::begin("order", own).await?;
    let shards = ShardedPool::open(config.orders, process.stop.clone()).map_err(|error| anyhow!(error))?;
    let metrics = RelayMetrics::new(process.metrics.registry())?;
    let work = work(shards, config.broker, metrics, process.stop.clone());
    process.work(work, Duration::from_secs(20)).await;
    Ok(())
}
