//! Two shards with tables of events, handlers whose behaviour a test decides, and waiting for what they did.

use shop_contract::event::{ORDER_WORK, PAYMENT_CAPTURED};
use shop_kit_events::{Broker, Consumer, EventMetrics, HandleError, Handler, Message, Outgoing, Tables};
use shop_kit_events::{append_all, first_times};
use shop_kit_postgres::{Pool, ShardedPool};
use shop_kit_testshards::{PATIENCE, TwoShards};
use sqlx::migrate::Migrator;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const TABLES: Tables = Tables {
    outbox: "test_outbox",
    inbox: "test_inbox",
};
pub const KIND: &str = PAYMENT_CAPTURED;

fn migrator() -> Migrator {
    sqlx::migrate!("tests/migrations")
}

pub struct Place {
    /// Holds the shard map.
    _two: TwoShards,
    pub pools: ShardedPool,
}

impl Place {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(migrator, "test_migrations")]).await.unwrap();
        let pools = two.open();
        Self { _two: two, pools }
    }

    pub fn pool(&self, shard: u16) -> Pool {
        self.pools.get(shard).unwrap().pool
    }

    /// Appends so many events to one shard's outbox and commits them.
    pub async fn append(&self, shard: u16, count: usize) -> Vec<Uuid> {
        let pool = self.pool(shard);
        let events: Vec<Outgoing> = (0..count)
            .map(|_| Outgoing::new(Uuid::now_v7(), KIND, &"x").unwrap())
            .collect();
        let mut transaction = pool.begin().await.unwrap();
        append_all(&mut transaction, &TABLES, &events).await.unwrap();
        pool.commit(transaction).await.unwrap();
        events.iter().map(|event| event.id).collect()
    }

    pub async fn count(&self, shard: u16, query: &'static str) -> i64 {
        let pool = self.pool(shard);
        sqlx::query_scalar(query).fetch_one(pool.executor()).await.unwrap()
    }

    pub async fn until(&self, shard: u16, query: &'static str, wanted: i64) {
        let begun = Instant::now();
        loop {
            let now = self.count(shard, query).await;
            if now == wanted {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{query} is {now}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What a handler answers; `None` is success.
pub type Verdict = fn(&Message) -> Option<HandleError>;

/// Notes each event once, in the database, and remembers every attempt.
#[derive(Clone)]
pub struct Noting {
    pub pool: Pool,
    pub verdict: Verdict,
    pub seen: Arc<Mutex<Vec<Attempt>>>,
    /// Stays in its work after the effect, so that nothing is acknowledged.
    pub never_returns: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: Uuid,
    pub number: u32,
    pub batch: usize,
}

impl Noting {
    pub fn new(pool: Pool, verdict: Verdict) -> Self {
        Self {
            pool,
            verdict,
            seen: Arc::default(),
            never_returns: false,
        }
    }

    /// Attempts so far, by message.
    pub fn attempts(&self) -> HashMap<Uuid, Vec<u32>> {
        let mut found: HashMap<Uuid, Vec<u32>> = HashMap::new();
        for attempt in self.seen.lock().unwrap().iter() {
            found.entry(attempt.id).or_default().push(attempt.number);
        }
        found
    }

    /// Waits until a message was begun so often.
    pub async fn until_attempts(&self, id: Uuid, count: usize) {
        let begun = std::time::Instant::now();
        loop {
            let now = self.attempts().get(&id).map_or(0, Vec::len);
            if now >= count {
                return;
            }
            assert!(
                begun.elapsed() < shop_kit_testshards::PATIENCE,
                "begun {now} times, not {count}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Handler for Noting {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let attempts = batch.iter().map(|message| Attempt {
            id: message.id,
            number: message.attempt,
            batch: batch.len(),
        });
        self.seen.lock().unwrap().extend(attempts);
        if let Some(error) = batch.iter().find_map(|message| (self.verdict)(message)) {
            return Err(error);
        }
        let ids: Vec<Uuid> = batch.iter().map(|message| message.id).collect();
        let store = |error| HandleError::from(self.pool.error(&error));
        let mut transaction = self.pool.begin().await?;
        let first = first_times(&mut transaction, &TABLES, ORDER_WORK.name, &ids)
            .await
            .map_err(store)?;
        let first: Vec<Uuid> = first.into_iter().collect();
        sqlx::query("insert into effects (event_id) select unnest($1::uuid[])")
            .bind(first)
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        self.pool.commit(transaction).await?;
        if self.never_returns {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// Something that runs until the test stops it.
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start<F>(run: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(stop.clone()));
        Self { stop, task }
    }

    pub fn consumer(broker: &Broker, handler: &Noting, metrics: &EventMetrics) -> Self {
        let (broker, handler, metrics) = (broker.clone(), handler.clone(), metrics.clone());
        Self::start(|stop| Consumer::new(ORDER_WORK, broker, handler, stop).metrics(metrics).run())
    }

    pub async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("it does not stop").unwrap();
    }

    /// As a process that is killed: whatever it is doing, at once.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
