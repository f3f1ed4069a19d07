//! Answers kept for requests that come twice under one Idempotency-Key.
