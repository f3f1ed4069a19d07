//! Which server a read goes to: lists and searches, which may lag, to a replica where there is one, and to the primary
//! while the replica does not answer. Reads by id never come here: their prices are charged.

use shop_kit_postgres::{Pool, StoreError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For so long nobody waits for a replica that did not answer.
const SHUNNED: Duration = Duration::from_secs(5);

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

    pub async fn run<T, F>(&self, read: impl Fn(Pool) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let Some(replica) = self.replica.as_ref().filter(|_| !self.shunned()) else {
            return read(self.primary.clone()).await;
        };
        match read(replica.clone()).await {
            Err(error) if error.is_unavailable() => {
                tracing::warn!("reading from the primary instead: {error}");
                *self.until() = Some(Instant::now() + SHUNNED);
                read(self.primary.clone()).await
            }
            answered => answered,
        }
    }

    fn shunned(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.shunned_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
