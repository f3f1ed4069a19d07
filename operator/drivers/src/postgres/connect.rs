//! One connection to one server, with a deadline on everything. Does not pool and does not retry: the caller does.

use super::PostgresError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use std::time::Duration;

/// Longest time one connect or one statement may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
/// SQLSTATE of a wrong password, and of every other refused login (no such role, no line in pg_hba.conf, …).
const WRONG_PASSWORD: &str = "28P01";
const LOGIN_REFUSED: &str = "28000";

/// Who logs in where.
#[derive(Clone)]
pub struct Login {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
}

/// A connection whose statements the server itself ends after ten seconds.
pub async fn connect(login: &Login) -> Result<PgConnection, PostgresError> {
    let action = "connecting";
    let options = PgConnectOptions::new_without_pgpass()
        .host(&login.host)
        .port(login.port)
        .username(&login.user)
        .password(&login.password)
        .database(&login.database)
        .ssl_mode(PgSslMode::Disable)
        .application_name("shop-operator")
        .options([("statement_timeout", "10s"), ("lock_timeout", "5s")])
        .disable_statement_logging();
    match tokio::time::timeout(DEADLINE, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(named(login, action, error)),
        Err(_) => Err(PostgresError::Deadline {
            host: login.host.clone(),
            action,
            seconds: DEADLINE.as_secs(),
        }),
    }
}

/// The driver's error with host, user and action put to it.
pub(super) fn named(login: &Login, action: &'static str, error: sqlx::Error) -> PostgresError {
    let host = login.host.clone();
    match error {
        sqlx::Error::Database(refused) => {
            let code = refused.code().unwrap_or_default().into_owned();
            let cause = refused.message().to_owned();
            match code.as_str() {
                WRONG_PASSWORD => PostgresError::WrongPassword {
                    host,
                    user: login.user.clone(),
                },
                LOGIN_REFUSED => PostgresError::LoginRefused {
                    host,
                    user: login.user.clone(),
                    cause,
                },
                _ => PostgresError::Refused {
                    host,
                    action,
                    code,
                    cause,
                },
            }
        }
        other => PostgresError::Unreachable {
            host,
            action,
            cause: other.to_string(),
        },
    }
}
