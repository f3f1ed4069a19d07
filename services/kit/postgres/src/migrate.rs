//! Runs a service's embedded migrations at a primary. Needs a session of its own (sqlx takes an advisory lock), so it
//! never goes through PgBouncer. Retries until the deadline: the primary may still be starting.

use crate::pool::connect_options;
use crate::{Credentials, OrdersSettings, ShardedPool, StoreError, Timeouts};
use shop_contract::shard_map::Address;
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_secs(1);
/// How long a pod waits for a shard that does not answer while another does: a failover takes less.
pub const AWAY: Duration = Duration::from_secs(45);
/// One try at what was left out; a change of the shard map is seen after it.
const REST: Duration = Duration::from_secs(10);
/// One attempt, connecting included.
const ATTEMPT: Duration = Duration::from_secs(120);

/// Migrates one database. `table` keeps the versions of services apart that share a database.
pub async fn migrate(
    tier: &str,
    primary: &Address,
    credentials: &Credentials,
    timeouts: Timeouts,
    mut migrator: Migrator,
    table: &'static str,
    deadline: Instant,
) -> Result<(), StoreError> {
    migrator.dangerous_set_table_name(table);
    let tier: Arc<str> = tier.into();
    loop {
        let attempt = tokio::time::timeout(ATTEMPT, attempt(primary, credentials, timeouts, &migrator));
        let error = match attempt.await {
            Ok(Ok(())) => {
                tracing::info!(tier = &*tier, "migrated");
                return Ok(());
            }
            Ok(Err(error)) => StoreError::of(&tier, &error),
            Err(_) => StoreError::Unavailable {
                tier: tier.clone(),
                detail: "no answer".to_owned(),
            },
        };
        if !error.is_unavailable() || Instant::now() + PAUSE >= deadline {
            return Err(error);
        }
        tracing::info!("{error}; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Migrates every shard of `orders`, all of them at the same time. When one is done, the others may not answer for as long
/// as `away` before this ends well without them: a shard that is lost must keep no pod from serving the customers of
/// another. Those left out are the business of [`migrate_rest`].
pub async fn migrate_shards(
    settings: &OrdersSettings,
    migrator: fn() -> Migrator,
    table: &'static str,
    away: Duration,
    deadline: Instant,
) -> Result<(), String> {
    loop {
        let until = deadline.min(Instant::now() + away);
        let found = migrate_all(settings, migrator, table, until).await?;
        if !found.failed.is_empty() {
            return Err(found.failed.join("; "));
        }
        if found.away.is_empty() || found.done > 0 {
            for shard in &found.away {
                tracing::warn!("not migrated, left to the worker: {shard}");
            }
            return Ok(());
        }
        if Instant::now() + PAUSE >= deadline {
            return Err(found.away.join("; "));
        }
    }
}

/// In a worker: migrates what [`migrate_shards`] left out, as soon as it answers. Ends when nothing is left.
pub async fn migrate_rest(
    settings: OrdersSettings,
    migrator: fn() -> Migrator,
    table: &'static str,
    stop: CancellationToken,
) {
    let rest = async {
        loop {
            let left = match migrate_all(&settings, migrator, table, Instant::now() + REST).await {
                Ok(found) => [found.failed, found.away].concat(),
                Err(map) => vec![map],
            };
            if left.is_empty() {
                return;
            }
            tracing::warn!("not migrated yet: {}", left.join("; "));
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = rest => {}
    }
}

/// What came of one try.
#[derive(Default)]
struct Found {
    done: usize,
    away: Vec<String>,
    failed: Vec<String>,
}

async fn migrate_all(
    settings: &OrdersSettings,
    migrator: fn() -> Migrator,
    table: &'static str,
    deadline: Instant,
) -> Result<Found, String> {
    let map = ShardedPool::read_map(&settings.shard_map)?;
    let mut running = tokio::task::JoinSet::new();
    for shard in map.shards {
        let (credentials, timeouts) = (settings.credentials.clone(), settings.timeouts);
        running.spawn(async move {
            let tier = format!("postgres/orders/{}", shard.index);
            migrate(
                &tier,
                &shard.primary,
                &credentials,
                timeouts,
                migrator(),
                table,
                deadline,
            )
            .await
        });
    }
    let mut found = Found::default();
    while let Some(done) = running.join_next().await {
        match done {
            Ok(Ok(())) => found.done += 1,
            Ok(Err(error)) if error.is_unavailable() => found.away.push(error.to_string()),
            Ok(Err(error)) => found.failed.push(error.to_string()),
            Err(error) => found.failed.push(error.to_string()),
        }
    }
    Ok(found)
}

/// Limits of ordinary statements lie at the role in this database, because PgBouncer passes on no session state. The
/// lock is for two services that migrate one database: Postgres refuses to change a role twice at the same time.
const LIMITS: &str = "do $$ declare statement text; begin
    perform pg_advisory_xact_lock(20261124);
    foreach statement in array array[
        format('alter role %I in database %I set statement_timeout = %L',
            current_user, current_database(), current_setting('shop.statement_timeout')),
        format('alter role %I in database %I set idle_in_transaction_session_timeout = %L',
            current_user, current_database(), '60s')]
    loop execute statement; end loop;
end $$";

async fn attempt(
    primary: &Address,
    credentials: &Credentials,
    timeouts: Timeouts,
    migrator: &Migrator,
) -> Result<(), sqlx::Error> {
    let mut connection = connect_options(primary, credentials).connect().await?;
    // A migration may take long; the role's own limit does not hold here.
    sqlx::query("set statement_timeout = 0")
        .execute(&mut connection)
        .await?;
    migrator
        .run_direct(None, &mut connection, false)
        .await
        .map_err(migration_error)?;
    sqlx::query("select set_config('shop.statement_timeout', $1, false)")
        .bind(format!("{}ms", timeouts.statement.as_millis()))
        .execute(&mut connection)
        .await?;
    sqlx::query(LIMITS).execute(&mut connection).await?;
    connection.close().await
}

fn migration_error(error: sqlx::migrate::MigrateError) -> sqlx::Error {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error,
        sqlx::migrate::MigrateError::ExecuteMigration(error, _) => error,
        other => sqlx::Error::Migrate(Box::new(other)),
    }
}
