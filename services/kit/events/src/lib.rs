//! Events between services, at least once and handled once. Writing side: a row in the outbox, in the transaction of
//! the fact it tells, which the relay publishes under confirms. Reading side: a consumer whose handler notes the event
//! in the inbox in the transaction of its effect. The exchange and the queues are made by the operator.
//!
//! Tables a service with events must have: `outbox (id uuid, kind text, payload text, created_at, retry_at,
//! attempts int, published_at)` and `inbox (consumer text, event_id uuid, handled_at)`.

mod broker;
mod consumer;
mod delivery;
mod handler;
mod inbox;
mod outbox;
mod publish;
mod relay;

pub use broker::{Broker, BrokerError};
pub use consumer::Consumer;
pub use handler::{HandleError, Handler, Message};
pub use inbox::first_time;
pub use outbox::{append, purge};
pub use relay::{RelayError, RelayMetrics, relay_all_shards, relay_batch};
