//! A role that may log in, and the database it owns. Never touches what is in the database.
//!
//! First everything is read, then `steps` (pure, in `wanted`) says what differs, then just that is written. Names and the password
//! are put into statements by the server's own `format()`, which quotes them; utility statements take no parameters.

use super::connect::named;
use super::wanted::{Database, Seen, Step, check, steps};
use super::{Login, PostgresError, connect};
use crate::Report;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::Duration;

/// For all of `ensure_database`: copying the template can be slow on a busy disk.
const WHOLE: Duration = Duration::from_secs(60);
/// Key of the advisory lock that keeps two operators from making the same role at once.
const LOCK: i64 = 0x73_68_6f_70;

/// Role with its password and limit, database owned by it, nothing for everybody else. `login` is a superuser's, to
/// any existing database. The password is written only when the role is new or its login is refused.
pub async fn ensure_database(login: &Login, wanted: &Database) -> Result<Report, PostgresError> {
    check(wanted)?;
    match tokio::time::timeout(WHOLE, ensure(login, wanted)).await {
        Ok(done) => done,
        Err(_) => Err(PostgresError::Deadline {
            host: login.host.clone(),
            action: "making role and database",
            seconds: WHOLE.as_secs(),
        }),
    }
}

async fn ensure(login: &Login, wanted: &Database) -> Result<Report, PostgresError> {
    let mut report = Report::default();
    let mut server = connect(login).await?;
    prepare(&mut server)
        .await
        .map_err(|error| named(login, "preparing the session", error))?;
    let recovering: bool = sqlx::query_scalar("select pg_is_in_recovery()")
        .fetch_one(&mut server)
        .await
        .map_err(|error| named(login, "asking whether it is the primary", error))?;
    if recovering {
        return Err(PostgresError::NotPrimary {
            host: login.host.clone(),
        });
    }
    let seen = read(&mut server, wanted)
        .await
        .map_err(|error| named(login, "reading role and database", error))?;
    for step in steps(&seen) {
        write(&mut server, login, wanted, step, &mut report).await?;
    }
    let mut inside = connect(&Login {
        database: wanted.database.clone(),
        ..login.clone()
    })
    .await?;
    if schema_open(&mut inside)
        .await
        .map_err(|error| named(login, "reading the schema's rights", error))?
    {
        write(&mut inside, login, wanted, Step::CloseSchema, &mut report).await?;
    }
    if password_refused(login, wanted).await? {
        write(&mut server, login, wanted, Step::SetPassword, &mut report).await?;
    }
    // The lock goes with the session; a failure to say goodbye changes nothing.
    let _ = inside.close().await;
    let _ = server.close().await;
    Ok(report)
}

/// Keeps the password out of the server's log, makes it SCRAM, and waits for another operator at the same work.
async fn prepare(server: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "set log_statement = 'none'",
        "set log_min_duration_statement = -1",
        "set log_min_error_statement = 'panic'",
        "set password_encryption = 'scram-sha-256'",
        "set statement_timeout = '45s'",
        "set lock_timeout = '10s'",
    ] {
        sqlx::query(statement).execute(&mut *server).await?;
    }
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(server)
        .await?;
    Ok(())
}

async fn read(server: &mut PgConnection, wanted: &Database) -> Result<Seen, sqlx::Error> {
    let role = sqlx::query(
        "select rolcanlogin and rolconnlimit = $2
            and not (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
         from pg_roles where rolname = $1",
    )
    .bind(&wanted.role)
    .bind(i32::try_from(wanted.max_connections).unwrap_or(i32::MAX))
    .fetch_optional(&mut *server)
    .await?;
    let database = sqlx::query(
        "select pg_get_userbyid(datdba) = $2, exists (
            select from aclexplode(coalesce(datacl, acldefault('d', datdba))) as granted where granted.grantee = 0)
         from pg_database where datname = $1",
    )
    .bind(&wanted.database)
    .bind(&wanted.role)
    .fetch_optional(server)
    .await?;
    let flag = |row: &Option<sqlx::postgres::PgRow>, column: usize| match row {
        Some(row) => row.try_get::<bool, _>(column),
        None => Ok(false),
    };
    Ok(Seen {
        role_exists: role.is_some(),
        role_as_wanted: flag(&role, 0)?,
        database_exists: database.is_some(),
        owner_as_wanted: flag(&database, 0)?,
        database_open: flag(&database, 1)?,
    })
}

async fn schema_open(inside: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (
            select from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as granted
            where nspname = 'public' and granted.grantee = 0 and granted.privilege_type = 'CREATE')",
    )
    .fetch_one(inside)
    .await
}

/// Only a wrong password counts: a full server, or one that just restarts, says nothing about the password.
async fn password_refused(login: &Login, wanted: &Database) -> Result<bool, PostgresError> {
    let own = Login {
        user: wanted.role.clone(),
        password: wanted.role_password.clone(),
        database: wanted.database.clone(),
        ..login.clone()
    };
    match connect(&own).await {
        Ok(connection) => {
            let _ = connection.close().await;
            Ok(false)
        }
        Err(PostgresError::WrongPassword { .. }) => Ok(true),
        // The password was right, and all connections of the role are in use.
        Err(PostgresError::Refused { code, .. }) if code == "53300" => Ok(false),
        Err(other) => Err(other),
    }
}

async fn write(
    server: &mut PgConnection,
    login: &Login,
    wanted: &Database,
    step: Step,
    report: &mut Report,
) -> Result<(), PostgresError> {
    let (words, template) = step.text();
    let work = async {
        let statement: String = sqlx::query_scalar("select format($1, $2, $3, $4, $5)")
            .bind(template)
            .bind(&wanted.role)
            .bind(&wanted.database)
            .bind(wanted.max_connections.to_string())
            .bind(&wanted.role_password)
            .fetch_one(&mut *server)
            .await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *server).await
    };
    work.await.map_err(|error| named(login, words, error))?;
    report.wrote(format!("{words} ({} on {})", wanted.database, login.host));
    Ok(())
}
