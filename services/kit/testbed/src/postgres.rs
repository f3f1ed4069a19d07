//! A Postgres on loopback (the newest Debian has installed), without fsync, with one superuser.
//!
//! `shared()` is one server for all tests of a binary; `fresh_database()` gives each test its own empty database.

use crate::guard::{Guard, Server};
use crate::place;
use crate::wait::{STARTS, until_ready};
use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::OnceCell;

const DEADLINE: Duration = Duration::from_secs(60);
const SUPERUSER: &str = "postgres";
/// Words: data folder, password file, settings. Both in the guard's hands, so that neither outlives the test.
const INITIALISE_AND_SERVE: &str = r#"
data=$1 password=$2; shift 2
"$PROGRAMS/initdb" --pgdata "$data" --pwfile "$password" --username "$SUPERUSER" --auth scram-sha-256 \
    --encoding UTF8 --locale C --no-sync --no-instructions &&
exec "$PROGRAMS/postgres" -D "$data" "$@"
"#;
static SHARED: OnceCell<Postgres> = OnceCell::const_new();

pub struct Postgres {
    host: String,
    port: u16,
    password: String,
    _guard: Guard,
}

impl Postgres {
    /// The one server of this test binary, started by whoever asks first.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(Self::start).await
    }

    /// A server of its own, which ends with the value.
    pub async fn start() -> Result<Self> {
        let mut last = None;
        for _ in 0..STARTS {
            match Self::start_once().await {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a start was tried")).with_context(|| format!("Postgres did not start in {STARTS} tries"))
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn superuser(&self) -> &'static str {
        SUPERUSER
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// Address of a database as the superuser.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@{}:{}/{database}?sslmode=disable",
            self.password, self.host, self.port
        )
    }

    /// Makes an empty database and returns its address as the superuser.
    pub async fn fresh_database(&self) -> Result<String> {
        let name = format!("test_{:016x}", place::random());
        let work = async {
            let mut connection = PgConnection::connect(&self.url("postgres")).await?;
            // The name is hexadecimal digits; template0 is never in use, so that tests can do this side by side.
            let statement = AssertSqlSafe(format!("create database {name} template template0"));
            sqlx::query(statement).execute(&mut connection).await?;
            connection.close().await
        };
        match tokio::time::timeout(DEADLINE, work).await {
            Ok(done) => done.with_context(|| format!("cannot make database {name} on {}:{}", self.host, self.port))?,
            Err(_) => bail!("making database {name} took longer than {} s", DEADLINE.as_secs()),
        }
        Ok(self.url(&name))
    }

    async fn start_once() -> Result<Self> {
        let programs = newest()?;
        let account = place::account("postgres")?;
        let (ip, password) = (place::address(), place::password());
        let port = place::free_ports(ip, 1)?[0];
        let folder = place::folder("postgres", account)?;
        let password_file = folder.path().join("password");
        place::write(&password_file, &password, account)?;
        let data = folder.path().join("data").display().to_string();
        let server = Server {
            program: Path::new("/bin/sh"),
            arguments: [
                vec!["-c".to_owned(), INITIALISE_AND_SERVE.to_owned(), "start".to_owned()],
                vec![data, password_file.display().to_string()],
                settings(&ip.to_string(), port),
            ]
            .concat(),
            environment: vec![
                ("PROGRAMS", programs.display().to_string()),
                ("SUPERUSER", SUPERUSER.to_owned()),
            ],
            account,
            stop_signal: "QUIT",
        };
        let guard = Guard::start(folder, &server)?;
        let server = Self {
            host: ip.to_string(),
            port,
            password,
            _guard: guard,
        };
        let url = server.url("postgres");
        until_ready("Postgres", &server._guard, DEADLINE, async || {
            let mut connection = PgConnection::connect(&url).await?;
            sqlx::query("select 1").execute(&mut connection).await?;
            Ok(connection.close().await?)
        })
        .await?;
        Ok(server)
    }
}

/// The programs of the newest version under Debian's folder.
fn newest() -> Result<PathBuf> {
    let base = Path::new("/usr/lib/postgresql");
    let versions = std::fs::read_dir(base).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, programs)| programs.join("initdb").is_file() && programs.join("postgres").is_file())
        .max();
    newest.map(|(_, programs)| programs).with_context(|| {
        format!(
            "no Postgres server under {}: install the Debian package postgresql",
            base.display()
        )
    })
}

/// Durability is off: a test's data need not survive a power cut.
fn settings(ip: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    let settings = [
        ("listen_addresses", ip),
        ("port", &port),
        ("unix_socket_directories", ""),
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("max_connections", "200"),
        ("shared_buffers", "32MB"),
        ("dynamic_shared_memory_type", "mmap"),
        ("logging_collector", "off"),
    ];
    settings
        .iter()
        .flat_map(|(key, value)| ["-c".to_owned(), format!("{key}={value}")])
        .collect()
}
