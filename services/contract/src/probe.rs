//! How a process says that it lives and how the operator proves that the whole shop does.

use uuid::Uuid;

/// The process runs. Asks no datastore.
pub const LIVE: &str = "/livez";
/// The process may take traffic. A lost datastore does not change it: one lost tier must not remove every service.
pub const READY: &str = "/readyz";
pub const METRICS: &str = "/metrics";
/// Sent by the operator with the shop's synthetic key: the customer and the order are marked, counted in no figure and
/// removed after a while. Any other value is refused with 403.
pub const SYNTHETIC_HEADER: &str = "x-shop-synthetic";
/// The product of synthetic orders: made by the catalogue's migrations, never listed.
pub const SYNTHETIC_PRODUCT: Uuid = Uuid::from_u128(0x01900000_0000_7000_8000_000000000001);
