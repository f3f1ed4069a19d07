//! How soon a relay looks again after work. At once is quickest for one event; while many come, a longer pause lets them
//! gather: a look, a message, a confirm and everything the consumers do then costs about the same for ten as for one.

use std::time::Duration;
use tokio::time::Instant;

/// After work.
pub(crate) const SHORT: Duration = Duration::from_millis(20);
/// After work, while the outbox is busy. Each step of a saga then takes up to so much longer; nobody waits for it.
const GATHER: Duration = Duration::from_millis(100);
/// Events in a second that make an outbox busy.
const BUSY: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Pace {
    since: Instant,
    events: usize,
    busy: bool,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            events: 0,
            busy: false,
        }
    }

    /// So many events were published.
    pub fn note(&mut self, events: usize, now: Instant) {
        let lasted = now - self.since;
        if lasted >= SECOND {
            // What came in much longer than a second is no load.
            self.busy = self.events >= BUSY && lasted < SECOND * 2;
            (self.since, self.events) = (now, 0);
        }
        self.events += events;
    }

    pub fn short(&self) -> Duration {
        if self.busy { GATHER } else { SHORT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_outbox_lets_events_gather_and_a_quiet_one_does_not() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for (every, times, short) in [
            (100, 40, SHORT),
            (10, 250, GATHER),
            (100, 40, SHORT),
            // Ends in the middle of a busy second.
            (10, 290, GATHER),
            (60_000, 1, SHORT),
        ] {
            for _ in 0..times {
                now += Duration::from_millis(every);
                pace.note(1, now);
            }
            assert_eq!(pace.short(), short, "one every {every} ms");
        }
    }
}
