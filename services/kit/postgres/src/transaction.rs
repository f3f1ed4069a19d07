//! A transaction of a pool. Dropped without a commit, it is rolled back behind the caller's back.

use crate::lease::Lease;
use crate::pool::LOST;
use sqlx::{Executor, PgConnection, SqlStr};
use std::ops::{Deref, DerefMut};

const HERE: &str = "there until the transaction ends";

#[derive(Debug)]
pub struct Transaction {
    lease: Option<Lease>,
}

impl Transaction {
    /// `statement` begins it.
    pub(crate) async fn begin(lease: Lease, statement: SqlStr) -> Result<Self, sqlx::Error> {
        // Before it is sent: whoever stops waiting for the answer leaves no open transaction in the pool.
        let mut this = Self { lease: Some(lease) };
        this.execute(statement).await?;
        Ok(this)
    }

    /// An error tells nothing about whether it was committed, unless it is the server's.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("commit").await
    }

    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("rollback").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.execute(statement).await?;
        if let Some(lease) = self.lease.take() {
            lease.keep();
        }
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(abandon(lease));
        }
    }
}

/// A connection that takes too long is closed, which rolls back too.
async fn abandon(mut lease: Lease) {
    match tokio::time::timeout(LOST, lease.execute("rollback")).await {
        Ok(Ok(_)) => lease.keep(),
        Ok(Err(error)) => {
            tracing::info!("a transaction was not rolled back, its connection is closed: {error}");
            lease.close();
        }
        Err(_) => lease.close(),
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.lease.as_ref().expect(HERE)
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.lease.as_mut().expect(HERE)
    }
}
