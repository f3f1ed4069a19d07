//! The work queue: one entry per shop with its earliest wake-up. In come keys with a time, out goes one due key at a time
//! and never one that is being worked on. The state is a pure value with the clock passed in; the shell around it only
//! waits.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

#[derive(Debug)]
pub struct State<K> {
    due: HashMap<K, Instant>,
    working: HashSet<K>,
}

impl<K> Default for State<K> {
    fn default() -> Self {
        Self {
            due: HashMap::new(),
            working: HashSet::new(),
        }
    }
}

/// What a worker should do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<K> {
    Work(K),
    /// Nothing is due before this instant.
    Wait(Instant),
    /// Nothing is planned at all.
    Idle,
}

impl<K: Clone + Eq + Hash + Ord> State<K> {
    /// The earliest wish wins.
    pub fn wake(&mut self, key: K, at: Instant) {
        self.due
            .entry(key)
            .and_modify(|due| *due = (*due).min(at))
            .or_insert(at);
    }

    /// The key that has been due longest and is not being worked on.
    pub fn next(&mut self, now: Instant) -> Next<K> {
        let free = self.due.iter().filter(|(key, _)| !self.working.contains(*key));
        let Some((key, at)) = free
            .min_by_key(|(key, at)| (**at, (*key).clone()))
            .map(|(key, at)| (key.clone(), *at))
        else {
            return Next::Idle;
        };
        if at > now {
            return Next::Wait(at);
        }
        self.due.remove(&key);
        self.working.insert(key.clone());
        Next::Work(key)
    }

    pub fn done(&mut self, key: &K) {
        self.working.remove(key);
    }

    /// Keys that are due now but not being worked on.
    pub fn depth(&self, now: Instant) -> usize {
        self.due
            .iter()
            .filter(|(key, at)| **at <= now && !self.working.contains(*key))
            .count()
    }

    pub fn busy(&self) -> usize {
        self.working.len()
    }
}

pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::default()),
            changed: Notify::new(),
        }
    }
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake_now(&self, key: K) {
        self.wake_at(key, Instant::now());
    }

    pub fn wake_in(&self, key: K, delay: Duration) {
        self.wake_at(key, Instant::now() + delay);
    }

    fn wake_at(&self, key: K, at: Instant) {
        self.state().wake(key, at);
        self.changed.notify_one();
    }

    /// Waits for the next due key. Whoever gets one calls [`Queue::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.changed.notified();
            let next = self.state().next(Instant::now());
            match next {
                Next::Work(key) => {
                    // Another waiter looks at what is left.
                    self.changed.notify_one();
                    return key;
                }
                Next::Wait(at) => {
                    let _ = tokio::time::timeout_at(at.into(), changed).await;
                }
                Next::Idle => changed.await,
            }
        }
    }

    pub fn done(&self, key: &K, again: Option<Duration>) {
        {
            let mut state = self.state();
            state.done(key);
            if let Some(delay) = again {
                state.wake(key.clone(), Instant::now() + delay);
            }
        }
        self.changed.notify_one();
    }

    pub fn depth(&self) -> usize {
        self.state().depth(Instant::now())
    }

    pub fn busy(&self) -> usize {
        self.state().busy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_earliest_wake_up_wins() {
        let (mut state, now) = (State::default(), Instant::now());
        state.wake("demo", now + SECOND * 30);
        state.wake("demo", now + SECOND);
        state.wake("demo", now + SECOND * 60);
        assert_eq!(state.next(now), Next::Wait(now + SECOND));
        assert_eq!(state.next(now + SECOND), Next::Work("demo"));
        assert_eq!(state.next(now + SECOND * 90), Next::Idle);
    }

    #[test]
    fn a_key_being_worked_on_is_not_handed_out_twice_but_not_forgotten() {
        let (mut state, now) = (State::default(), Instant::now());
        state.wake("demo", now);
        assert_eq!(state.next(now), Next::Work("demo"));
        state.wake("demo", now);
        assert_eq!(state.next(now), Next::Idle);
        assert_eq!(state.depth(now), 0);
        state.done(&"demo");
        assert_eq!(state.next(now), Next::Work("demo"));
    }

    #[test]
    fn a_busy_key_does_not_hold_up_another() {
        let (mut state, now) = (State::default(), Instant::now());
        state.wake("a", now);
        state.wake("b", now);
        assert_eq!(state.next(now), Next::Work("a"));
        state.wake("a", now);
        assert_eq!(state.next(now), Next::Work("b"));
        assert_eq!(state.busy(), 2);
    }

    #[tokio::test]
    async fn a_waiting_worker_is_woken_by_an_earlier_wish() {
        let queue = Queue::default();
        queue.wake_in("later", SECOND * 3600);
        let (got, ()) = tokio::join!(tokio::time::timeout(SECOND * 5, queue.next()), async {
            queue.wake_now("now")
        });
        assert_eq!(got.expect("woken before the hour is over"), "now");
    }
}
