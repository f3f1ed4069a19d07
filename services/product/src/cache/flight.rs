//! Single flight: whoever asks for a key that is being loaded waits for that load instead of starting another.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use shop_kit_postgres::StoreError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Flight<V> = Shared<BoxFuture<'static, Result<V, StoreError>>>;

pub(super) struct Flights<V> {
    flying: Arc<Mutex<HashMap<String, Flight<V>>>>,
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self { flying: Arc::default() }
    }
}

impl<V: Clone + Send + Sync + 'static> Flights<V> {
    pub(super) async fn join(
        &self,
        key: &str,
        load: impl Future<Output = Result<V, StoreError>> + Send + 'static,
    ) -> Result<V, StoreError> {
        let flight = {
            let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
            match flying.get(key) {
                Some(flight) => flight.clone(),
                None => {
                    let flight = self.start(key.to_owned(), load);
                    flying.insert(key.to_owned(), flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    /// A task of its own: the load ends and leaves the map even when everybody who waited has gone.
    fn start(&self, key: String, load: impl Future<Output = Result<V, StoreError>> + Send + 'static) -> Flight<V> {
        let flying = self.flying.clone();
        let task = tokio::spawn(async move {
            // Leaves the map on a panic too.
            let _landing = Landing { flying, key };
            load.await
        });
        let ended = task.map(|ended| {
            ended.unwrap_or_else(|error| {
                Err(StoreError::Failed {
                    tier: "service/product".into(),
                    detail: format!("a load ended early: {error}"),
                })
            })
        });
        ended.boxed().shared()
    }
}

struct Landing<V: Clone> {
    flying: Arc<Mutex<HashMap<String, Flight<V>>>>,
    key: String,
}

impl<V: Clone> Drop for Landing<V> {
    fn drop(&mut self) {
        self.flying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn concurrent_misses_load_once_and_later_ones_again() {
        let flights = Flights::<usize>::default();
        let loads = Arc::new(AtomicUsize::new(0));
        let (open, gate) = tokio::sync::watch::channel(false);
        let load = || {
            let (loads, mut gate) = (loads.clone(), gate.clone());
            async move {
                let _ = gate.wait_for(|open| *open).await;
                Ok(loads.fetch_add(1, Ordering::SeqCst))
            }
        };
        let first = futures::future::join_all((0..50).map(|_| flights.join("key", load())));
        let opened = async { open.send(true) };
        let (first, _) = tokio::join!(first, opened);
        assert!(first.into_iter().all(|value| value.unwrap() == 0));
        assert_eq!(flights.join("key", load()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_leaves_nothing_behind() {
        let flights = Flights::<usize>::default();
        let panic = flights.join("key", async { panic!("on purpose") }).await;
        assert!(panic.is_err());
        assert_eq!(flights.join("key", async { Ok(1) }).await.unwrap(), 1);
    }
}
