//! One database of an ordinary role, for services without shards: `catalog` and `payments`.

use crate::{Migrations, PATIENCE};
use anyhow::Context;
use shop_contract::shard_map::Address;
use shop_kit_config::Secret;
use shop_kit_postgres::{Credentials, Pool, Timeouts, migrate};
use shop_kit_testbed::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "test-only";

/// The parts of `CatalogSettings` and `PaymentsSettings`; pooler and primary are one.
#[derive(Clone, Debug)]
pub struct OneDatabase {
    pub credentials: Credentials,
    pub address: Address,
    pub timeouts: Timeouts,
}

impl OneDatabase {
    /// On the server all tests of a binary share.
    pub async fn start(migrations: &[Migrations]) -> anyhow::Result<Self> {
        let server = Postgres::shared().await?;
        let name = format!("test_{}", Uuid::now_v7().simple());
        make_database(server, &name).await?;
        let this = Self {
            credentials: Credentials {
                database: name.clone(),
                user: name,
                password: Secret::new(PASSWORD),
            },
            address: Address {
                host: server.host().to_owned(),
                port: server.port(),
            },
            timeouts: Timeouts {
                acquire: PATIENCE,
                statement: PATIENCE,
                connections: 4,
            },
        };
        for (migrator, table) in migrations {
            let (deadline, migrator) = (Instant::now() + PATIENCE, migrator());
            migrate(
                "postgres/test",
                &this.address,
                &this.credentials,
                this.timeouts,
                migrator,
                table,
                deadline,
            )
            .await?;
        }
        Ok(this)
    }

    /// From now on a commit on a new connection that waits until it is durable waits for a standby that does not exist.
    pub async fn lose_standby(&self) -> anyhow::Result<()> {
        let server = Postgres::shared().await?;
        let mut connection = PgConnection::connect(&server.url("postgres")).await?;
        for statement in [
            // All other databases of the server wait for nothing.
            format!(
                "alter database {} set synchronous_commit = on",
                self.credentials.database
            ),
            "alter system set synchronous_standby_names = 'nobody'".to_owned(),
            "select pg_reload_conf()".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    /// A pool of it that calls itself `tier`.
    pub fn pool(&self, tier: &str) -> Pool {
        Pool::lazy(tier, &self.address, &self.credentials, self.timeouts)
    }
}

/// An ordinary role and its database, both called `name` (letters, digits and underscores only).
pub(crate) async fn make_database(server: &Postgres, name: &str) -> anyhow::Result<()> {
    let work = async {
        let mut connection = PgConnection::connect(&server.url("postgres")).await?;
        for statement in [
            format!("create role {name} login password '{PASSWORD}'"),
            format!("create database {name} owner {name} template template0"),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        connection.close().await
    };
    tokio::time::timeout(PATIENCE, work)
        .await
        .context("making a database took too long")??;
    Ok(())
}
