//! Databases for the tests of services: two shards of `orders`, or one database. In: their migrations. Out: settings and
//! pools as a service has them, on real Postgres servers with an ordinary role, the shards on two servers, so that a row
//! in the wrong shard is a row that is missing. Waits are generous: a loaded machine is slow, not broken.

mod database;

pub use database::OneDatabase;

use database::{PASSWORD, make_database};
use shop_contract::bucket::{bucket_of, bucket_of_key};
use shop_contract::shard_map::{Address, FILE, ShardMap};
use shop_kit_config::Secret;
use shop_kit_postgres::{Credentials, OrdersSettings, ShardedPool, Timeouts, migrate_shards};
use shop_kit_testbed::Postgres;
use sqlx::migrate::Migrator;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// For whatever a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(120);
static SECOND: OnceCell<Postgres> = OnceCell::const_new();

pub struct TwoShards {
    pub settings: OrdersSettings,
    map: ShardMap,
    /// Holds the shard map's file.
    folder: TempDir,
}

/// A service's migrations and the table their versions are kept in.
pub type Migrations = (fn() -> Migrator, &'static str);

impl TwoShards {
    pub async fn start(migrations: &[Migrations]) -> anyhow::Result<Self> {
        let servers = [
            Postgres::shared().await?,
            SECOND.get_or_try_init(Postgres::start).await?,
        ];
        let name = format!("test_{}", Uuid::now_v7().simple());
        for server in servers {
            make_database(server, &name).await?;
        }
        let at = |index: u16| {
            let server = servers[usize::from(index)];
            Address {
                host: server.host().to_owned(),
                port: server.port(),
            }
        };
        let folder = tempfile::tempdir()?;
        let timeouts = Timeouts {
            acquire: PATIENCE,
            statement: PATIENCE,
            connections: 4,
        };
        let credentials = Credentials {
            database: name.clone(),
            user: name,
            password: Secret::new(PASSWORD),
        };
        let settings = OrdersSettings {
            credentials,
            shard_map: folder.path().join(FILE),
            timeouts,
        };
        let this = Self {
            settings,
            map: ShardMap::even(1, 2, |index| (at(index), at(index))),
            folder,
        };
        this.write(&this.map)?;
        for (migrator, table) in migrations {
            let done = migrate_shards(&this.settings, *migrator, table, PATIENCE, Instant::now() + PATIENCE).await;
            done.map_err(|error| anyhow::anyhow!(error))?;
        }
        Ok(this)
    }

    /// All shards, as a service opens them.
    pub fn open(&self) -> ShardedPool {
        ShardedPool::open(self.settings.clone(), CancellationToken::new()).expect("the map was written before")
    }

    /// All shards, of which `lost` hangs up on everybody. (Nothing listening would be told from a server that starts
    /// only by waiting; this way the loss is known at once and the other shard may be as slow as it likes.)
    pub async fn open_without(&self, lost: u16) -> anyhow::Result<ShardedPool> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let mut map = self.map.clone();
        for shard in map.shards.iter_mut().filter(|shard| shard.index == lost) {
            let host = "127.0.0.1".to_owned();
            shard.pooler = Address { host, port };
        }
        let path = self.folder.path().join("without.json");
        std::fs::write(&path, serde_json::to_string(&map)?)?;
        let settings = OrdersSettings {
            shard_map: path,
            ..self.settings.clone()
        };
        ShardedPool::open(settings, CancellationToken::new()).map_err(|error| anyhow::anyhow!(error))
    }

    /// A new customer id whose shard is `index`.
    pub fn user_in(&self, index: u16) -> Uuid {
        let mut ids = std::iter::repeat_with(Uuid::now_v7);
        ids.find(|id| {
            self.map
                .shard_of(bucket_of(*id))
                .is_some_and(|shard| shard.index == index)
        })
        .unwrap_or_default()
    }

    /// A new e-mail address whose directory row lies in shard `index`.
    pub fn email_in(&self, index: u16) -> String {
        let mut emails = std::iter::repeat_with(|| format!("{}@example.com", Uuid::now_v7().simple()));
        let lies_there = |email: &String| {
            self.map
                .shard_of(bucket_of_key(email.as_bytes()))
                .is_some_and(|shard| shard.index == index)
        };
        emails.find(lies_there).unwrap_or_default()
    }

    fn write(&self, map: &ShardMap) -> anyhow::Result<()> {
        Ok(std::fs::write(&self.settings.shard_map, serde_json::to_string(map)?)?)
    }
}
