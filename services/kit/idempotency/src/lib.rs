//! Answers kept for requests that come twice under one `Idempotency-Key`. In: the key, whose it is and what the request
//! asks for. Out: a ticket for the first of them, the kept answer for the others. The answer is written in the
//! transaction of the effect, so there is never one without the other. Reads and writes primaries only.
//!
//! Each service makes its own table; [`TABLE_SQL`] says what it must have.

mod key;
mod once;
mod ticket;

pub use key::{IdempotencyKey, fingerprint};
pub use once::once;
pub use ticket::{Begin, FinishError, Ticket, begin, purge};

/// What a service's migration creates, under a name of its own. `status` is null while the request runs; `token` tells
/// who runs it.
pub const TABLE_SQL: &str = "
create table idempotency (
    owner uuid not null,
    key text not null,
    fingerprint bytea not null,
    token uuid not null,
    status integer,
    location text,
    body text,
    created_at timestamptz not null default now(),
    primary key (owner, key)
);
create index idempotency_age on idempotency (created_at);
";
