//! The two ways to wait. Both ask again and again; neither ever guesses how long something takes.
//! A question answers `Ok` (it holds) or `Err` (not yet, and what was seen instead).

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// One look may hang on a dead connection; then it counts as "not yet".
const ONE_LOOK: Duration = Duration::from_secs(15);

/// Asks until the answer is `Ok`, and returns it. Panics with the last state seen when `deadline` has passed.
pub async fn eventually<T, E, F>(deadline: Duration, what: impl Display, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    let start = Instant::now();
    loop {
        let seen = match tokio::time::timeout(ONE_LOOK, look()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(state)) => format!("{state:#}"),
            Err(_) => format!("no answer within {} s", ONE_LOOK.as_secs()),
        };
        if start.elapsed() > deadline {
            panic!("not within {} s: {what}\n  last seen: {seen}", deadline.as_secs());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Asks for as long as `duration`; every answer has to be `Ok`. Panics at the first that is not.
pub async fn throughout<E, F>(duration: Duration, what: impl Display, mut look: impl FnMut() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let start = Instant::now();
    while start.elapsed() < duration {
        if let Err(state) = look().await {
            panic!(
                "did not hold for {} s: {what}\n  after {} s: {state:#}",
                duration.as_secs(),
                start.elapsed().as_secs()
            );
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// A state that is not the one waited for, from anything that can be printed.
pub fn not_yet(state: impl Display) -> anyhow::Error {
    anyhow::anyhow!("{state}")
}
