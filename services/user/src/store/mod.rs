//! SQL of this service, one file per noun.

pub mod address;
pub mod directory;
pub mod mail;
pub mod notification;
pub mod removal;
pub mod role;
pub mod session;
pub mod sweep;
pub mod unsent;
pub mod user;
pub mod webhook;

/// RFC 3339 in UTC, of a column; text, because this program never calculates with it.
macro_rules! rfc3339 {
    ($column:literal) => {
        concat!(
            "to_char(",
            $column,
            " at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        )
    };
}
pub(crate) use rfc3339;
