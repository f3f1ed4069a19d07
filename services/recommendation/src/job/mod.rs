//! What runs in the worker, one file per verb.

pub mod analyse;
pub mod learn;
pub mod sweep;
pub mod work;

use jiff::Timestamp;
use shop_kit_events::HandleError;

/// A time in an event; one that cannot be read never will be.
fn time(text: &str) -> Result<Timestamp, HandleError> {
    text.parse()
        .map_err(|error| HandleError::Poison(format!("`{text}` is no time: {error}")))
}
