//! One read transaction at a server that is a primary, with one snapshot for all its statements.

use shop_kit_postgres::{Pool, StoreError, Transaction};
use sqlx::PgConnection;

pub(crate) struct Primary<'a> {
    pool: &'a Pool,
    transaction: Transaction,
}

impl<'a> Primary<'a> {
    pub(crate) async fn begin(pool: &'a Pool) -> Result<Self, StoreError> {
        let mut transaction = pool.begin().await?;
        let store = |error: sqlx::Error| pool.error(&error);
        sqlx::query("set transaction isolation level repeatable read read only")
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        let standby: bool = sqlx::query_scalar("select pg_is_in_recovery()")
            .fetch_one(&mut *transaction)
            .await
            .map_err(store)?;
        if standby {
            let detail = "a standby answered".to_owned();
            let tier = pool.tier().clone();
            return Err(StoreError::Unavailable { tier, detail });
        }
        Ok(Self { pool, transaction })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    pub(crate) async fn end(self) -> Result<(), StoreError> {
        self.pool.commit(self.transaction).await
    }
}
