//! The program `payment`: reads the environment and starts what was asked for. No rule lives here.

use crate::config::{ApiConfig, WorkConfig};
use crate::start;
use clap::{Parser, Subcommand};
use shop_contract::event::PAYMENT_WORK;
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::PaymentsSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// Payments of the shop. Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "payment", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
    /// Authorise, capture, void and refund as orders go on; relay events to RabbitMQ.
    Work,
    /// Bring the tables up to date, then end.
    Migrate {
        /// Seconds to keep trying while the database does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
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
            let (own, payments) = settings(PaymentsSettings::read)?;
            logs(&own)?;
            start::migrate(payments, Instant::now() + Duration::from_secs(deadline)).await
        }
        Verb::DeadLetters(command) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(command, &broker, &[PAYMENT_WORK]).await?)
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(ApiConfig::read)?;
    let process = Process::begin("payment", own).await?;
    let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
    process.serve(router).await
}

async fn work() -> anyhow::Result<()> {
    let (own, config) = settings(WorkConfig::read)?;
    let process = Process::begin("payment", own).await?;
    let work = start::work(config, process.metrics.registry(), process.stop.clone());
    process.work(work, Duration::from_secs(20)).await
}
