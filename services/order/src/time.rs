//! Times as the API shows them: RFC 3339 in UTC, with microseconds, as the database writes them too.

use jiff::Timestamp;
use uuid::Uuid;

const FORM: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

pub fn now() -> String {
    Timestamp::now().strftime(FORM).to_string()
}

/// When a UUIDv7 was made: an order's time is its id's, so both lie in the same month.
pub fn of_id(id: Uuid) -> String {
    let (seconds, nanoseconds) = id.get_timestamp().map(|time| time.to_unix()).unwrap_or_default();
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|seconds| Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or_default()).ok());
    time.unwrap_or_default().strftime(FORM).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time() {
        let id = Uuid::from_u128(0x019a_bc00_0000_7000_8000_0000_0000_0000);
        assert_eq!(of_id(id), "2025-11-25T17:11:47.968000Z");
        assert_eq!(of_id(Uuid::nil()), "1970-01-01T00:00:00.000000Z");
        assert_eq!(now().len(), of_id(id).len());
    }
}
