//! Redis as a cache that may be missing. A background task keeps the connection; requests use it while it is good and
//! never wait longer than [`PATIENCE`]. The first failure switches it off until the background task has seen it answer.

use super::Entry;
use crate::config::RedisSettings;
use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError,
};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest a request waits for Redis.
const PATIENCE: Duration = Duration::from_millis(50);
const CONNECT: Duration = Duration::from_secs(5);
/// Longest the background task waits for an answer.
const CHECK: Duration = Duration::from_secs(1);
/// Between attempts to get it back.
const PAUSE: Duration = Duration::from_secs(1);
const PREFIX: &str = "shop:product:";
/// Versions are compared as numbers, which Lua keeps exactly up to 2^53.
const PUT_NEWER: &str = "local held = redis.call('GET', KEYS[1])
local version = held and tonumber(string.match(held, '^(%d+):'))
if version and version > tonumber(ARGV[1]) then return held end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false";

/// Redis did not answer, or is switched off.
#[derive(Debug)]
pub struct Down;

/// Cloning shares the connection.
#[derive(Clone)]
pub struct RedisCache {
    inner: Arc<Inner>,
}

struct Inner {
    settings: RedisSettings,
    patience: Duration,
    good: RwLock<Option<Connection>>,
    lost: Notify,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl RedisCache {
    /// Returns at once; the connection follows.
    pub fn start(settings: RedisSettings, stop: CancellationToken) -> Self {
        Self::start_with(settings, PATIENCE, stop)
    }

    /// With another patience, for machines where 50 ms say nothing.
    pub fn start_with(settings: RedisSettings, patience: Duration, stop: CancellationToken) -> Self {
        let inner = Inner {
            settings,
            patience,
            good: RwLock::default(),
            lost: Notify::new(),
        };
        let this = Self { inner: Arc::new(inner) };
        let keeper = this.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = keeper.keep() => {}
            }
        });
        this
    }

    /// Whether requests use Redis now.
    pub fn is_good(&self) -> bool {
        self.inner.good.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Down> {
        let mut command = redis::cmd("GET");
        command.arg(format!("{PREFIX}{key}"));
        self.ask(&command).await
    }

    /// In the order of `keys`, of which there is at least one.
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Down> {
        let mut command = redis::cmd("MGET");
        for key in keys {
            command.arg(format!("{PREFIX}{key}"));
        }
        self.ask(&command).await
    }

    /// Keeps the entry unless a newer one is there, which then comes back.
    pub async fn put_newer(&self, key: &str, entry: &Entry, life: Duration) -> Result<Option<Entry>, Down> {
        let mut command = redis::cmd("EVAL");
        command
            .arg(PUT_NEWER)
            .arg(1)
            .arg(format!("{PREFIX}{key}"))
            .arg(entry.version)
            .arg(entry.encode())
            .arg(life.as_millis() as u64);
        let newer: Option<Vec<u8>> = self.ask(&command).await?;
        Ok(newer.and_then(Entry::decode))
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, Down> {
        let good = self.inner.good.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(mut connection) = good else { return Err(Down) };
        let why = match tokio::time::timeout(self.inner.patience, connection.query(command)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", self.inner.patience.as_millis()),
        };
        if self.set(None) {
            tracing::warn!("redis is switched off until it answers: {why}");
            self.inner.lost.notify_one();
        }
        Err(Down)
    }

    /// True when that changed something.
    fn set(&self, connection: Option<Connection>) -> bool {
        let mut good = self.inner.good.write().unwrap_or_else(PoisonError::into_inner);
        let changes = good.is_some() != connection.is_some();
        *good = connection;
        changes
    }

    /// Connects, waits for a loss, connects again. A new connection each time: a restart may have changed every address.
    async fn keep(&self) {
        loop {
            match self.open().await {
                Ok(connection) => {
                    tracing::info!("redis is in use");
                    self.set(Some(connection));
                    self.inner.lost.notified().await;
                }
                Err(error) => tracing::debug!("redis: {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn open(&self) -> Result<Connection, String> {
        let opened = tokio::time::timeout(CONNECT, connect(&self.inner.settings, self.inner.patience.max(CHECK))).await;
        let mut connection = opened
            .map_err(|_| "no connection in time".to_owned())?
            .map_err(|error| error.to_string())?;
        let mut check = redis::cmd("GET");
        check.arg(format!("{PREFIX}check:{}", rand::random::<u16>()));
        let answer = tokio::time::timeout(
            self.inner.patience.max(CHECK),
            connection.query::<Option<Vec<u8>>>(&check),
        )
        .await;
        answer
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|error| error.to_string())?;
        Ok(connection)
    }
}

impl Connection {
    async fn query<T: redis::FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T, RedisError> {
        match self {
            Self::Single(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

async fn connect(settings: &RedisSettings, patience: Duration) -> Result<Connection, RedisError> {
    let login = || {
        RedisConnectionInfo::default()
            .set_username(&settings.user)
            .set_password(settings.password.expose())
    };
    let infos = settings.addresses.iter().map(|at| {
        let info = ConnectionAddr::Tcp(at.host.clone(), at.port).into_connection_info()?;
        Ok(info.set_redis_settings(login()))
    });
    let infos = infos.collect::<Result<Vec<ConnectionInfo>, RedisError>>()?;
    if settings.cluster {
        let client = redis::cluster::ClusterClientBuilder::new(infos)
            .connection_timeout(CONNECT)
            .response_timeout(patience)
            .retries(1)
            .build()?;
        return client.get_async_connection().await.map(Connection::Cluster);
    }
    let Some(info) = infos.into_iter().next() else {
        return Err((redis::ErrorKind::InvalidClientConfig, "no address").into());
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(patience));
    let client = redis::Client::open(info)?;
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map(Connection::Single)
}
