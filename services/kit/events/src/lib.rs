//! Events between services, at least once and handled once. Writing side: a row in the outbox, in the transaction of
//! the fact it tells, which the relay publishes under confirms. Reading side: a consumer whose handler notes the events
//! of a batch in the inbox in the transaction of their effects. The exchanges and the queues are made by the operator.
//!
//! Tables a service with events must have, under names of its own ([`Tables`]): an outbox `(id uuid, kind text, payload
//! text, created_at, retry_at, attempts int, published_at)` and an inbox `(consumer text, event_id uuid, handled_at)`.

mod backlog;
mod broker;
mod bundle;
mod consumer;
mod copies;
pub mod dead_letters;
mod delivery;
mod fate;
mod handler;
mod headers;
mod inbox;
mod metrics;
mod outbox;
mod pace;
mod parcel;
mod publish;
mod relay;
mod relays;
mod tables;
mod wake;

pub use backlog::purge;
pub use broker::{Broker, BrokerError};
pub use bundle::events;
pub use consumer::Consumer;
pub use handler::{HandleError, Handler, Message};
pub use inbox::{first_time, first_times};
pub use metrics::EventMetrics;
pub use outbox::{Outgoing, append, append_all};
pub use relay::{RelayError, relay_batch};
pub use relays::{relay_all_shards, relay_one};
pub use tables::Tables;
pub use wake::appended;
