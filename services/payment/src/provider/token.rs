//! What the test provider's tokens ask for. In: a token. Out: how each question about it goes. Pure.

use std::time::Duration;

const SLOW: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub declined: Option<&'static str>,
    pub delay: Duration,
    /// The attempt at which it happens; the ones before fail without effect.
    pub happens_at: i32,
    /// The first attempt whose answer arrives.
    pub answers_at: i32,
    /// Webhooks after the first attempt, which itself is answered with "pending".
    pub webhooks: i32,
}

const AT_ONCE: Course = Course {
    declined: None,
    delay: Duration::ZERO,
    happens_at: 1,
    answers_at: 1,
    webhooks: 0,
};

pub(crate) fn course(token: &str, synthetic: bool) -> Course {
    let declined = |reason| Course {
        declined: Some(reason),
        ..AT_ONCE
    };
    match token {
        _ if synthetic => AT_ONCE,
        "tok_ok" => AT_ONCE,
        "tok_declined" => declined("the card was declined"),
        "tok_slow" => Course { delay: SLOW, ..AT_ONCE },
        "tok_timeout" => Course {
            answers_at: 2,
            ..AT_ONCE
        },
        "tok_flaky" => Course {
            happens_at: 3,
            ..AT_ONCE
        },
        "tok_twice" => Course { webhooks: 2, ..AT_ONCE },
        _ => declined("unknown token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_tokens_are_declined_and_test_orders_never() {
        assert_eq!(course("tok_other", false).declined, Some("unknown token"));
        assert_eq!(course("", false).declined, Some("unknown token"));
        assert_eq!(course("tok_declined", true), AT_ONCE);
        assert_eq!(course("tok_ok", false), AT_ONCE);
    }
}
