//! The program `order`: reads the environment and starts what was asked for. No rule lives here.

use crate::config::{ApiConfig, WorkConfig};
use crate::start;
use clap::{Parser, Subcommand};
use shop_contract::event::ORDER_WORK;
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::OrdersSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// For what the worker holds when it is told to end.
const DRAIN: Duration = Duration::from_secs(20);

/// Carts and orders of the shop. Settings come from SHOP_… variables.
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
    /// Relay events to RabbitMQ, move orders by what payment and inventory say, keep partitions, remove test orders.
    Work,
    /// Bring the tables of every shard up to date, then end.
    Migrate {
        /// Seconds to keep trying while a shard does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
    /// Look at events that could not be handled, and handle or drop them.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
}

#[tokio::main]
pub async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => {
            let (own, config) = settings(ApiConfig::read)?;
            let process = Process::begin("order", own).await?;
            let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
            process.serve(router).await
        }
        Verb::Work => {
            let (own, config) = settings(WorkConfig::read)?;
            let process = Process::begin("order", own).await?;
            let work = start::work(config, process.metrics.registry(), process.stop.clone());
            process.work(work, DRAIN).await
        }
        Verb::Migrate { deadline } => {
            let (own, orders) = settings(OrdersSettings::read)?;
            logs(&own)?;
            start::migrate(orders, Instant::now() + Duration::from_secs(deadline)).await
        }
        Verb::DeadLetters(command) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(command, &broker, &[ORDER_WORK]).await?)
        }
    }
}
