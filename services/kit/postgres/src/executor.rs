//! Statements without a transaction of their own run on the pool itself: one connection each, kept warm when the
//! answer was read to its end.

use crate::Pool;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    /// The rows are read before the first is given out, so that a slow reader holds no connection.
    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let read = async move {
            let mut lease = self.lease().await?;
            let parts: Vec<Either<PgQueryResult, PgRow>> = lease.fetch_many(query).try_collect().await?;
            lease.keep();
            Ok::<_, Error>(futures::stream::iter(parts.into_iter().map(Ok)))
        };
        futures::stream::once(read).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move {
            let mut lease = self.lease().await?;
            let row = lease.fetch_optional(query).await?;
            lease.keep();
            Ok(row)
        }
        .boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        async move {
            let mut lease = self.lease().await?;
            let statement = lease.prepare_with(sql, parameters).await?;
            lease.keep();
            Ok(statement)
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        async move {
            let mut lease = self.lease().await?;
            let described = lease.describe(sql).await?;
            lease.keep();
            Ok(described)
        }
        .boxed()
    }
}
