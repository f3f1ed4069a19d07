//! The HTTP face every service shares. In: a router of handlers. Out: the same router whose every failure is a problem
//! body (RFC 9457), whose requests carry an id, a deadline, a size limit and metrics, which describes itself and stops
//! gracefully. Knows no datastore and no business rule.

mod admin;
mod error;
mod extract;
mod face;
pub mod openapi;
mod page;
mod serve;
mod synthetic;
mod to_the_end;

pub use admin::{Health, admin_router};
pub use error::ApiError;
pub use extract::{Json, Path, Query};
pub use face::{Face, RequestId};
pub use page::{PageQuery, cursor, page, position};
pub use serve::{Drain, serve};
pub use synthetic::{Synthetic, SyntheticKey};
pub use to_the_end::to_the_end;
