//! The program `user`: reads the environment and starts what was asked for. No rule lives here.

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use shop_kit_postgres::{ShardedPool, migrate_shards};
use shop_kit_process::{Process, finish, logs, settings};
use shop_user::config::Config;
use shop_user::router::{AppState, router};
use shop_user::{MIGRATIONS_TABLE, migrator};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// Customers of the shop: register, log in, tokens. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "user", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
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
    let verb = Arguments::parse().verb.unwrap_or(Verb::Serve);
    match verb {
        Verb::Serve => serve().await,
        Verb::Migrate { deadline } => migrate(Duration::from_secs(deadline)).await,
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(Config::read)?;
    let process = Process::begin("user", own).await?;
    let shards = ShardedPool::open(config.orders.clone(), process.stop.clone()).map_err(|error| anyhow!(error))?;
    process
        .serve(router(AppState::new(&config, shards, Duration::from_secs(5))))
        .await
}

async fn migrate(deadline: Duration) -> anyhow::Result<()> {
    let (own, orders) = settings(shop_kit_postgres::OrdersSettings::read)?;
    logs(&own)?;
    let done = migrate_shards(&orders, migrator, MIGRATIONS_TABLE, Instant::now() + deadline).await;
    done.map_err(|error| anyhow!(error))
}
