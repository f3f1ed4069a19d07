//! What this process has just seen, in front of Redis: a product many people look at costs Redis one question a second.
//! Entries give way to newer versions only, live about a second and together take no more than [`MOST`]; a change made
//! by another process is therefore seen at the latest when they end. Two generations instead of a list of ages: the old
//! one is dropped whole once the young one is full or a life has passed.

use super::Entry;
use rand::RngExt;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest an entry lives; the shortest is a tenth less, so that entries made together do not all end together.
pub const LIFE: Duration = Duration::from_secs(1);
/// Bytes in both generations.
const MOST: usize = 4 << 20;
/// Of a map's entry besides its key and body: measured roughly, on the safe side.
const OVERHEAD: usize = 160;

pub(super) struct Near {
    seen: Mutex<Generations>,
}

struct Generations {
    young: HashMap<String, Held>,
    old: HashMap<String, Held>,
    young_bytes: usize,
    young_since: Instant,
}

struct Held {
    entry: Entry,
    until: Instant,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            seen: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
                young_bytes: 0,
                young_since: Instant::now(),
            }),
        }
    }
}

impl Near {
    pub(super) fn get(&self, name: &str, now: Instant) -> Option<Entry> {
        let seen = self.seen();
        let held = seen.find(name)?;
        (now < held.until).then(|| held.entry.clone())
    }

    /// Keeps the entry unless a newer one is there.
    pub(super) fn put(&self, name: &str, entry: &Entry, now: Instant) {
        let mut seen = self.seen();
        if seen
            .find(name)
            .is_some_and(|held| now < held.until && held.entry.version > entry.version)
        {
            return;
        }
        let bytes = size(name, entry);
        if seen.young_bytes + bytes > MOST / 2 || now.saturating_duration_since(seen.young_since) > LIFE {
            seen.old = std::mem::take(&mut seen.young);
            (seen.young_bytes, seen.young_since) = (0, now);
        }
        let held = Held {
            entry: entry.clone(),
            until: now + LIFE.mul_f64(rand::rng().random_range(0.9..=1.0)),
        };
        if let Some(before) = seen.young.insert(name.to_owned(), held) {
            seen.young_bytes -= size(name, &before.entry);
        }
        seen.young_bytes += bytes;
    }

    fn seen(&self) -> MutexGuard<'_, Generations> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn find(&self, name: &str) -> Option<&Held> {
        self.young.get(name).or_else(|| self.old.get(name))
    }
}

fn size(name: &str, entry: &Entry) -> usize {
    OVERHEAD + name.len() + entry.body.as_ref().map_or(0, |body| body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_after_its_life() {
        let (near, now) = (Near::default(), Instant::now());
        near.put("a", &Entry::found(1, "x"), now);
        assert_eq!(near.get("a", now + LIFE.mul_f64(0.89)), Some(Entry::found(1, "x")));
        assert_eq!(near.get("a", now + LIFE), None);
    }

    #[test]
    fn an_older_version_gives_way_and_never_comes_back() {
        let (near, now) = (Near::default(), Instant::now());
        near.put("a", &Entry::found(2, "new"), now);
        near.put("a", &Entry::found(1, "old"), now);
        assert_eq!(near.get("a", now), Some(Entry::found(2, "new")));
        near.put("a", &Entry::absent(3), now);
        assert_eq!(near.get("a", now), Some(Entry::absent(3)));
        // So large that the generations change.
        near.put("b", &Entry::found(1, "x".repeat(MOST / 2)), now);
        assert!(!near.seen().young.contains_key("a"));
        near.put("a", &Entry::found(2, "new"), now);
        assert_eq!(near.get("a", now), Some(Entry::absent(3)));
    }

    #[test]
    fn bytes_are_bounded_whatever_is_read() {
        let (near, now) = (Near::default(), Instant::now());
        let body = "x".repeat(20_000);
        for number in 0..1_000 {
            near.put(&number.to_string(), &Entry::found(1, body.clone()), now);
            // Written again and again, an entry counts once.
            near.put("same", &Entry::found(number, body.clone()), now);
        }
        let seen = near.seen();
        let bytes =
            |map: &HashMap<String, Held>| -> usize { map.iter().map(|(key, held)| size(key, &held.entry)).sum() };
        assert_eq!(bytes(&seen.young), seen.young_bytes);
        let all = bytes(&seen.young) + bytes(&seen.old);
        assert!((MOST / 4..=MOST).contains(&all), "{all}");
        drop(seen);
        assert!(near.get("999", now).is_some() && near.get("0", now).is_none());
    }
}
