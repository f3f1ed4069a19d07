//! Runs a service's embedded migrations at a primary. Needs a session of its own (sqlx takes an advisory lock), so it
//! never goes through PgBouncer. Retries until the deadline: the primary may still be starting.

use crate::pool::connect_options;
use crate::{Credentials, OrdersSettings, ShardedPool, StoreError};
use shop_contract::shard_map::Address;
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_secs(1);
/// One attempt, connecting included.
const ATTEMPT: Duration = Duration::from_secs(120);

/// Migrates one database. `table` keeps the versions of services apart that share a database.
pub async fn migrate(
    tier: &str,
    primary: &Address,
    credentials: &Credentials,
    mut migrator: Migrator,
    table: &'static str,
    deadline: Instant,
) -> Result<(), StoreError> {
    migrator.dangerous_set_table_name(table);
    let tier: Arc<str> = tier.into();
    loop {
        let attempt = tokio::time::timeout(ATTEMPT, attempt(primary, credentials, &migrator));
        let error = match attempt.await {
            Ok(Ok(())) => {
                tracing::info!(tier = &*tier, "migrated");
                return Ok(());
            }
            Ok(Err(error)) => StoreError::of(&tier, &error),
            Err(_) => StoreError::Unavailable { tier: tier.clone(), detail: "no answer".to_owned() },
        };
        if !error.is_unavailable() || Instant::now() + PAUSE >= deadline {
            return Err(error);
        }
        tracing::info!("{error}; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Migrates every shard of `orders`, all of them at the same time.
pub async fn migrate_shards(
    settings: &OrdersSettings,
    migrator: fn() -> Migrator,
    table: &'static str,
    deadline: Instant,
) -> Result<(), String> {
    let map = ShardedPool::read_map(&settings.shard_map)?;
    let mut running = tokio::task::JoinSet::new();
    for shard in map.shards {
        let credentials = settings.credentials.clone();
        running.spawn(async move {
            let tier = format!("postgres/orders/{}", shard.index);
            migrate(&tier, &shard.primary, &credentials, migrator(), table, deadline).await
        });
    }
    let mut failures = Vec::new();
    while let Some(done) = running.join_next().await {
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failures.push(error.to_string()),
            Err(error) => failures.push(error.to_string()),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

async fn attempt(primary: &Address, credentials: &Credentials, migrator: &Migrator) -> Result<(), sqlx::Error> {
    let mut connection = connect_options(primary, credentials).connect().await?;
    // A migration may take long; whatever the role's own limit is, it does not hold here.
    sqlx::query("set statement_timeout = 0").execute(&mut connection).await?;
    migrator.run_direct(None, &mut connection, false).await.map_err(migration_error)?;
    // Ordinary statements end after 5 s on the server too. Set at the role because PgBouncer passes on no session state.
    sqlx::query("alter role current_user set statement_timeout = '5s'").execute(&mut connection).await?;
    sqlx::query("alter role current_user set idle_in_transaction_session_timeout = '30s'")
        .execute(&mut connection)
        .await?;
    connection.close().await
}

fn migration_error(error: sqlx::migrate::MigrateError) -> sqlx::Error {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error,
        sqlx::migrate::MigrateError::ExecuteMigration(error, _) => error,
        other => sqlx::Error::Migrate(Box::new(other)),
    }
}
