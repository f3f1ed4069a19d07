//! Wakes the relays of this process when an event was appended here. The note comes before the commit, so a woken relay
//! looks several times in quick succession; what commits later than that is found by its ordinary look.

use std::sync::LazyLock;
use tokio::sync::watch;

static APPENDED: LazyLock<watch::Sender<()>> = LazyLock::new(|| watch::Sender::new(()));

/// Tells the relays of this process that a transaction under way has appended an event: for who writes the row in a
/// statement of its own instead of with [`append`](crate::append).
pub fn appended() {
    APPENDED.send_replace(());
}

/// Sees every note after this call, also those that come while nobody waits.
pub(crate) fn listen() -> watch::Receiver<()> {
    APPENDED.subscribe()
}
