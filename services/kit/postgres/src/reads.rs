//! Which server a read goes to that may lag: a replica where there is one, and the primary while the replica does not
//! answer. A read that takes the replica too long fails: the primary, which has more to do, would be no faster.

use crate::{CatalogSettings, Pool, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For so long nobody waits for a replica that did not answer.
const SHUNNED: Duration = Duration::from_secs(5);
/// A server that says nothing for so long is lost: it should have ended the statement itself by then.
const SILENT: Duration = Duration::from_secs(7);

/// Cloning shares what is known of the replica.
#[derive(Clone)]
pub struct Reads {
    primary: Pool,
    replica: Option<Pool>,
    shunned_until: Arc<Mutex<Option<Instant>>>,
}

impl Reads {
    pub fn new(primary: Pool, replica: Option<Pool>) -> Self {
        Self {
            primary,
            replica,
            shunned_until: Arc::default(),
        }
    }

    /// Of the catalogue. Must be called inside a runtime.
    pub fn of_catalog(settings: &CatalogSettings, primary: Pool) -> Self {
        let tier = format!("{}/replica", primary.tier());
        let replica = settings.replica.as_ref();
        let replica = replica.map(|at| Pool::lazy(&tier, at, &settings.credentials, settings.timeouts));
        Self::new(primary, replica)
    }

    pub async fn run<T, F>(&self, read: impl Fn(Pool) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        if let Some(replica) = self.replica.as_ref().filter(|_| !self.shunned()) {
            match answered(replica, &read).await {
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!("reading from the primary instead: {error}");
                    *self.until() = Some(Instant::now() + SHUNNED);
                }
                answered => return answered,
            }
        }
        answered(&self.primary, &read).await
    }

    fn shunned(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.shunned_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answered<T, F>(pool: &Pool, read: impl Fn(Pool) -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let answer = tokio::time::timeout(SILENT, read(pool.clone())).await;
    answer.unwrap_or_else(|_| {
        Err(StoreError::Unavailable {
            tier: pool.tier().clone(),
            detail: format!("no answer within {} s", SILENT.as_secs()),
        })
    })
}
