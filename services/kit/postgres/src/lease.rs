//! A connection on loan from a pool. One whose every answer was read is kept warm for the next borrower, with no
//! further round trip; sqlx's own pool asks each returned connection whether it lives, which with PgBouncer in between
//! costs as much as a small statement. Whatever was not given back in that state goes the long way through sqlx's pool,
//! which reads what is left, asks, and closes what does not answer.

use crate::pool::FRESH;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a busy connection may stay out of sqlx's pool, which ends those of a great age.
const OUT: Duration = Duration::from_secs(60);

/// Where leases come from.
#[derive(Debug)]
pub(crate) struct Desk {
    pool: PgPool,
    /// One for each connection the pool may have, so that a borrower with a place finds a connection.
    places: Arc<Semaphore>,
    acquire: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The coldest first.
    warm: Vec<Warm>,
    /// Whether somebody returns the cold ones.
    watched: bool,
}

#[derive(Debug)]
struct Warm {
    connection: PoolConnection<Postgres>,
    out_since: Instant,
    since: Instant,
}

/// Returned by dropping it, and kept warm by [`Lease::keep`].
#[derive(Debug)]
pub struct Lease {
    connection: PoolConnection<Postgres>,
    out_since: Instant,
    desk: Arc<Desk>,
    _place: OwnedSemaphorePermit,
}

impl Desk {
    pub(crate) fn new(pool: PgPool, acquire: Duration) -> Self {
        let places = pool.options().get_max_connections() as usize;
        Self {
            pool,
            places: Arc::new(Semaphore::new(places)),
            acquire,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, sqlx::Error> {
        let begun = Instant::now();
        let place = tokio::time::timeout(self.acquire, self.places.clone().acquire_owned()).await;
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(sqlx::Error::PoolClosed),
            Err(_) => return Err(sqlx::Error::PoolTimedOut),
        };
        let (connection, out_since) = match self.warmest() {
            Some(warm) => (warm.connection, warm.out_since),
            None => {
                let left = self.acquire.saturating_sub(begun.elapsed());
                let connection = tokio::time::timeout(left, self.pool.acquire()).await;
                (connection.map_err(|_| sqlx::Error::PoolTimedOut)??, Instant::now())
            }
        };
        Ok(Lease {
            connection,
            out_since,
            desk: self.clone(),
            _place: place,
        })
    }

    /// When this one is too cold, so are the others: then all of them go back, and the caller to sqlx's pool.
    fn warmest(&self) -> Option<Warm> {
        let mut kept = self.kept();
        let warm = kept.warm.pop_if(|warm| warm.since.elapsed() < FRESH);
        if warm.is_none() {
            kept.warm.clear();
        }
        warm
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: &Arc<Self>, connection: PoolConnection<Postgres>, out_since: Instant) {
        if self.pool.is_closed() || out_since.elapsed() >= OUT {
            return;
        }
        let mut kept = self.kept();
        kept.warm.push(Warm {
            connection,
            out_since,
            since: Instant::now(),
        });
        if !std::mem::replace(&mut kept.watched, true) {
            tokio::spawn(self.clone().cool());
        }
    }

    /// Returns what nobody borrowed again, until nothing is warm.
    async fn cool(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FRESH).await;
            let mut kept = self.kept();
            let cold = kept
                .warm
                .iter()
                .take_while(|warm| warm.since.elapsed() >= FRESH)
                .count();
            kept.warm.drain(..cold);
            if kept.warm.is_empty() {
                kept.watched = false;
                return;
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.places.close();
        self.kept().warm.clear();
        self.pool.close().await;
    }
}

impl Lease {
    /// Everything it was asked was answered, and no transaction is open.
    pub fn keep(self) {
        let Self {
            connection,
            out_since,
            desk,
            _place,
        } = self;
        desk.keep(connection, out_since);
    }

    /// Without asking anybody.
    pub(crate) fn close(mut self) {
        self.connection.close_on_drop();
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
