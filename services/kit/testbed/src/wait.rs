//! Waits for a server to answer: polls until it does, it ends, or the deadline passes. Starts again after a collision.

use crate::guard::Guard;
use anyhow::{Result, anyhow, bail};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(50);
/// One attempt to ask the server.
const ASK: Duration = Duration::from_secs(5);
/// A port can be taken between choosing and using it; then the start is tried anew elsewhere.
pub(crate) const STARTS: usize = 4;

/// Polls `ask` until it succeeds. The error holds the last answer and the server's last lines.
pub(crate) async fn until_ready<T>(
    what: &str,
    guard: &Guard,
    deadline: Duration,
    mut ask: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        let last = match tokio::time::timeout(ASK, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("no answer within {} s", ASK.as_secs()),
        };
        if let Some(code) = guard.ended() {
            bail!(
                "{what} ended with code {code} before it was ready; its log:\n{}",
                guard.log()
            );
        }
        if Instant::now() > end {
            return Err(anyhow!(
                "{what} was not ready within {} s; last answer: {last}; its log:\n{}",
                deadline.as_secs(),
                guard.log()
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
