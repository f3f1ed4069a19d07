//! How soon a relay looks again after work. At once is quickest for one event; while many come, a longer pause lets them
//! gather: a look, a message, a confirm and everything the consumers do then costs about the same for ten as for one.

use std::time::Duration;
use tokio::time::Instant;

/// After work.
pub(crate) const SHORT: Duration = Duration::from_millis(20);
/// At most, while the outbox is busy. Each step of a saga then takes up to so much longer; nobody waits for it.
const LONG: Duration = Duration::from_millis(250);
/// Events in a second that make an outbox busy.
const BUSY: f64 = 20.0;
/// Events that are to gather in a busy outbox.
const GATHERED: f64 = 32.0;
const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Pace {
    since: Instant,
    events: usize,
    /// In a second.
    rate: f64,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            events: 0,
            rate: 0.0,
        }
    }

    /// So many events were published.
    pub fn note(&mut self, events: usize, now: Instant) {
        let lasted = now - self.since;
        if lasted >= SECOND {
            self.rate = self.events as f64 / lasted.as_secs_f64();
            (self.since, self.events) = (now, 0);
        }
        self.events += events;
    }

    pub fn short(&self) -> Duration {
        if self.rate < BUSY {
            return SHORT;
        }
        Duration::from_secs_f64(GATHERED / self.rate).clamp(SHORT, LONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_outbox_lets_events_gather_and_a_quiet_one_does_not() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for (every, times, pause) in [
            (100, 40, SHORT),
            (20, 150, LONG),
            (100, 40, SHORT),
            (4, 800, Duration::from_millis(128)),
            (1, 2_100, Duration::from_millis(32)),
            // Ends in the middle of a busy second.
            (60_000, 1, SHORT),
        ] {
            for _ in 0..times {
                now += Duration::from_millis(every);
                pace.note(1, now);
            }
            let off = pace.short().abs_diff(pause);
            assert!(off <= Duration::from_millis(1), "one every {every} ms: off by {off:?}");
        }
    }
}
