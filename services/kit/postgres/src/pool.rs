//! A pool of one server, which knows its tier. Connects lazily and gives up on a connection after the acquire timeout.

use crate::lease::Desk;
use crate::{Credentials, Lease, StoreError, Timeouts, Transaction};
use shop_contract::shard_map::Address;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqlStr};
use std::sync::Arc;
use std::time::Duration;

/// A connection that does not answer for this long after its use is given up. Without it, a peer that vanished (a node
/// cut off) would hold the pool's place until the kernel gives up, a quarter of an hour later.
pub(crate) const LOST: Duration = Duration::from_secs(5);

/// A connection that was used a moment ago is not asked whether it lives: that would double the round trips of a busy
/// process. One that waited longer is, because a failover may have passed meanwhile.
pub(crate) const FRESH: Duration = Duration::from_secs(1);

/// Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Pool {
    desk: Arc<Desk>,
    tier: Arc<str>,
}

impl Pool {
    /// Opens nothing yet. Must be called inside a runtime.
    pub fn lazy(tier: &str, at: &Address, credentials: &Credentials, timeouts: Timeouts) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(timeouts.connections)
            .acquire_timeout(timeouts.acquire)
            .idle_timeout(Duration::from_secs(300))
            .max_lifetime(Duration::from_secs(1800))
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for < FRESH {
                        return Ok(true);
                    }
                    still_there(connection).await
                })
            })
            .after_release(|connection, _| Box::pin(still_there(connection)))
            .connect_lazy_with(connect_options(at, credentials));
        Self {
            desk: Arc::new(Desk::new(pool, timeouts.acquire)),
            tier: tier.into(),
        }
    }

    pub fn tier(&self) -> &Arc<str> {
        &self.tier
    }

    /// What statements run on.
    pub fn executor(&self) -> &Self {
        self
    }

    /// For a caller that has to know whether its statement was sent.
    pub async fn lease(&self) -> Result<Lease, sqlx::Error> {
        self.desk.lease().await
    }

    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.begin_with(SqlStr::from_static("begin")).await
    }

    /// For reading; the server ends each of its statements after `limit`. There is nothing to commit.
    pub async fn begin_brief(&self, limit: Duration) -> Result<Transaction, StoreError> {
        let limit = limit.as_millis();
        let statement = format!("begin read only; set local statement_timeout to {limit}");
        self.begin_with(AssertSqlSafe(statement).into_sql_str()).await
    }

    /// A transaction whose commit waits for no disk: a crash or a failover may undo it, whole, for a moment after. For
    /// what is done again then and does no harm twice.
    pub async fn begin_fleeting(&self) -> Result<Transaction, StoreError> {
        self.begin_with(SqlStr::from_static("begin; set local synchronous_commit to off"))
            .await
    }

    async fn begin_with(&self, statement: SqlStr) -> Result<Transaction, StoreError> {
        let begun = async { Transaction::begin(self.lease().await?, statement).await };
        begun.await.map_err(|error| self.error(&error))
    }

    pub async fn commit(&self, transaction: Transaction) -> Result<(), StoreError> {
        transaction.commit().await.map_err(|error| self.error(&error))
    }

    pub fn connect_options(&self) -> PgConnectOptions {
        self.desk.pool().connect_options().as_ref().clone()
    }

    /// Names this pool's tier in an error of one of its statements.
    pub fn error(&self, error: &sqlx::Error) -> StoreError {
        StoreError::of(&self.tier, error)
    }

    pub async fn close(&self) {
        self.desk.close().await;
    }
}

async fn still_there(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(LOST, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// PgBouncer refuses start-up parameters it does not track, so none is sent that is not needed.
pub(crate) fn connect_options(at: &Address, credentials: &Credentials) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(&at.host)
        .port(at.port)
        .username(&credentials.user)
        .password(credentials.password.expose())
        .database(&credentials.database)
        .ssl_mode(PgSslMode::Disable)
        .extra_float_digits(None)
        .statement_cache_capacity(100)
}
