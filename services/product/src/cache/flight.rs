//! Single flight: whoever asks for a key that is being loaded waits for that load instead of starting another.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use shop_kit_postgres::StoreError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Flight<V> = Shared<BoxFuture<'static, Result<V, StoreError>>>;
type Map<V> = HashMap<String, (u64, Flight<V>)>;

pub(super) struct Flights<V> {
    flying: Arc<Mutex<Board<V>>>,
}

struct Board<V> {
    map: Map<V>,
    /// Of the next flight.
    number: u64,
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        let board = Board {
            map: HashMap::new(),
            number: 0,
        };
        Self {
            flying: Arc::new(Mutex::new(board)),
        }
    }
}

impl<V: Clone + Send + Sync + 'static> Flights<V> {
    /// The value, and whether it came from a load that was under way.
    pub(super) async fn join(
        &self,
        key: &str,
        load: impl Future<Output = Result<V, StoreError>> + Send + 'static,
    ) -> (Result<V, StoreError>, bool) {
        let (flight, joined) = {
            let mut board = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
            match board.map.get(key) {
                Some((_, flight)) => (flight.clone(), true),
                None => {
                    board.number += 1;
                    let number = board.number;
                    let flight = self.start(key.to_owned(), number, load);
                    board.map.insert(key.to_owned(), (number, flight.clone()));
                    (flight, false)
                }
            }
        };
        (flight.await, joined)
    }

    /// Nobody joins the load under way any more; those who wait for it get its answer.
    pub(super) fn leave(&self, key: &str) {
        let mut board = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        board.map.remove(key);
    }

    /// A task of its own: the load ends and leaves the map even when everybody who waited has gone.
    fn start(
        &self,
        key: String,
        number: u64,
        load: impl Future<Output = Result<V, StoreError>> + Send + 'static,
    ) -> Flight<V> {
        let flying = self.flying.clone();
        let task = tokio::spawn(async move {
            // Leaves the map on a panic too.
            let _landing = Landing { flying, key, number };
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
    flying: Arc<Mutex<Board<V>>>,
    key: String,
    number: u64,
}

impl<V: Clone> Drop for Landing<V> {
    fn drop(&mut self) {
        let mut board = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        // Another flight may have begun under this key since.
        if board
            .map
            .get(&self.key)
            .is_some_and(|(number, _)| *number == self.number)
        {
            board.map.remove(&self.key);
        }
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
        assert_eq!(first.iter().filter(|(_, joined)| *joined).count(), 49);
        assert!(first.into_iter().all(|(value, _)| value.unwrap() == 0));
        assert_eq!(flights.join("key", load()).await.0.unwrap(), 1);
    }

    #[tokio::test]
    async fn nobody_joins_a_load_from_before_a_change() {
        let flights = Flights::<usize>::default();
        let (open, mut gate) = tokio::sync::watch::channel(false);
        let old = flights.join("key", async move {
            let _ = gate.wait_for(|open| *open).await;
            Ok(1)
        });
        let mut old = std::pin::pin!(old);
        assert!(futures::poll!(&mut old).is_pending());
        flights.leave("key");
        assert_eq!(flights.join("key", async { Ok(2) }).await.0.unwrap(), 2);
        open.send(true).unwrap();
        assert_eq!(old.await.0.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_leaves_nothing_behind() {
        let flights = Flights::<usize>::default();
        let panic = flights.join("key", async { panic!("on purpose") }).await;
        assert!(panic.0.is_err());
        assert_eq!(flights.join("key", async { Ok(1) }).await.0.unwrap(), 1);
    }
}
