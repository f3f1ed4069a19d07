//! The program `user`: reads the environment and starts what was asked for. No rule lives here.

use crate::config::{ApiConfig, WorkConfig};
use crate::{grant, start};
use clap::{Parser, Subcommand};
use shop_contract::api::Role;
use shop_contract::event::{EMAIL_WORK, NOTIFICATION_WORK};
use shop_kit_events::Broker;
use shop_kit_events::dead_letters::{self, DeadLetters};
use shop_kit_postgres::OrdersSettings;
use shop_kit_process::{Process, finish, logs, settings};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Customers of the shop: accounts, sessions, mail, notifications. Settings come from SHOP_… variables.
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
    /// Relay events to RabbitMQ, send mail, write notifications, remove what is done with.
    Work,
    /// Bring the tables of every shard up to date, then end.
    Migrate {
        /// Seconds to keep trying while a shard does not answer.
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
}

#[tokio::main]
pub async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> anyhow::Result<()> {
    match Arguments::parse().verb.unwrap_or(Verb::Serve) {
        Verb::Serve => {
            let (own, config) = settings(ApiConfig::read)?;
            let process = Process::begin("user", own).await?;
            let router = start::api(config, process.metrics.registry(), process.stop.clone()).await?;
            process.serve(router).await
        }
        Verb::Work => {
            let (own, config) = settings(WorkConfig::read)?;
            let process = Process::begin("user", own).await?;
            let work = start::work(config, process.metrics.registry(), process.stop.clone());
            process.work(work, Duration::from_secs(20)).await
        }
        Verb::Migrate { deadline } => {
            let (own, orders) = settings(OrdersSettings::read)?;
            logs(&own)?;
            start::migrate(orders, Instant::now() + Duration::from_secs(deadline)).await
        }
        Verb::Grant { email, role } => {
            let (own, orders) = settings(OrdersSettings::read)?;
            logs(&own)?;
            let shards = start::open(&orders, CancellationToken::new())?;
            grant::grant(&shards, &email, role).await?;
            println!("{email} has the role {role:?} now");
            Ok(())
        }
        Verb::DeadLetters(verb) => {
            let (own, broker) = settings(Broker::read)?;
            logs(&own)?;
            Ok(dead_letters::run(verb, &broker, &[EMAIL_WORK, NOTIFICATION_WORK]).await?)
        }
    }
}
