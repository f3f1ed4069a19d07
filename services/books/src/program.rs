//! The program `books`: reads the environment and starts what was asked for. No rule lives here.

use crate::check::Limits;
use crate::config::{ApiConfig, WorkConfig};
use crate::job::{check, print};
use crate::start;
use clap::{Parser, Subcommand, ValueEnum};
use shop_kit_postgres::PaymentsSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The shop's books: do orders, stock and payments agree? Settings come from SHOP_… variables.
#[derive(Parser)]
#[command(name = "books", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the API (what it does without a verb).
    Serve,
    /// Compare all the time, keep what is found, repair what can be repaired.
    Work,
    /// Bring the tables up to date, then end.
    Migrate {
        /// Seconds to keep trying while the database does not answer.
        #[arg(long, default_value_t = 300)]
        deadline: u64,
    },
    /// Compare everything once, print what does not hold, repair nothing. Ends with 1 when something does not hold.
    Check {
        /// Seconds a finding may take to settle before it counts.
        #[arg(long, default_value_t = 60)]
        patience: u64,
        /// How to print it.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[tokio::main]
pub async fn main() -> ExitCode {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => finish(serve().await),
        Verb::Work => finish(work().await),
        Verb::Migrate { deadline } => finish(migrate(Duration::from_secs(deadline)).await),
        Verb::Check { patience, output } => match run_check(Duration::from_secs(patience), output).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => finish(Err(error)),
        },
    }
}

async fn serve() -> anyhow::Result<()> {
    let (own, config) = settings(ApiConfig::read)?;
    let process = Process::begin("books", own).await?;
    let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
    process.serve(router).await
}

async fn work() -> anyhow::Result<()> {
    let (own, config) = settings(WorkConfig::read)?;
    let process = Process::begin("books", own).await?;
    let work = start::work(config, process.metrics.registry(), process.stop.clone());
    process.work(work, Duration::from_secs(20)).await
}

async fn migrate(deadline: Duration) -> anyhow::Result<()> {
    let (own, payments) = settings(PaymentsSettings::read)?;
    logs(&own)?;
    start::migrate(payments, Instant::now() + deadline).await
}

async fn run_check(patience: Duration, output: Output) -> anyhow::Result<bool> {
    let (_, config) = settings(WorkConfig::read)?;
    let sources = start::sources(&config, CancellationToken::new())?;
    let report = check::check(&sources, &Limits::default(), patience).await?;
    match output {
        Output::Text => print!("{}", print::as_text(&report)),
        Output::Json => print!("{}", print::as_json(&report)),
    }
    Ok(report.holds())
}
