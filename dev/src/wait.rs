//! The only way to wait: ask until an answer comes or a deadline passes.
//! In: a question with the words for "not yet". Out: the answer, or an error that ends with the last state seen.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::failure::Failure;

/// What one look found.
pub enum Look<T> {
    Ready(T),
    NotYet(String),
}

/// Looks every `pause` until ready; an error of `look` itself ends the wait at once.
pub fn until<T>(what: &str, limit: Duration, pause: Duration, mut look: impl FnMut() -> Result<Look<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        let state = match look()? {
            Look::Ready(answer) => return Ok(answer),
            Look::NotYet(state) => state,
        };
        if start.elapsed() >= limit {
            return Err(Failure::new(format!("{what}: not after {}s", limit.as_secs()))
                .detail(format!("last seen: {state}"))
                .into());
        }
        std::thread::sleep(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_ends_in_vain_tells_the_last_state() {
        let mut turn = 0;
        let error = until("node1", Duration::ZERO, Duration::ZERO, || {
            turn += 1;
            Ok(Look::<()>::NotYet(format!("look {turn}")))
        })
        .unwrap_err();
        assert_eq!(crate::failure::explain(&error, 0), ["last seen: look 1"]);
    }

    #[test]
    fn a_wait_returns_the_answer() {
        assert_eq!(
            until("x", Duration::ZERO, Duration::ZERO, || Ok(Look::Ready(7))).unwrap(),
            7
        );
    }
}
