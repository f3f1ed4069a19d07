//! What is wrong with a spec: field, value and rule, collected so that a user reads everything at once.

use crate::quantity;
use crate::shop::Bytes;
use serde::{Deserialize, Serialize};
use shop_api::quantity::Quantity;

/// Reads like the API server's own answer: `spec.redis.shards: Invalid value: 2: must be 1 or between 3 and 100`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: Invalid value: {value}: {rule}")]
pub struct Problem {
    pub field: String,
    pub value: String,
    pub rule: String,
}

/// Collects problems; each check gives back a usable value, so that the checks after it can go on.
#[derive(Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn add(&mut self, field: impl Into<String>, value: impl ToString, rule: impl Into<String>) {
        self.0.push(Problem {
            field: field.into(),
            value: value.to_string(),
            rule: rule.into(),
        });
    }

    /// The written value or the default, if it is within bounds.
    pub fn between(&mut self, field: &str, written: Option<u16>, default: u16, bounds: (u16, u16)) -> u16 {
        let value = written.unwrap_or(default);
        if value < bounds.0 || value > bounds.1 {
            self.add(field, value, format!("must be between {} and {}", bounds.0, bounds.1));
        }
        value
    }

    pub fn bytes(&mut self, field: &str, written: Option<&Quantity>) -> Option<Bytes> {
        match quantity::bytes(&written?.0) {
            Ok(bytes) if bytes.0 > 0 => return Some(bytes),
            Ok(_) => self.add(field, 0, "must be more than 0"),
            Err(rule) => self.add(field, &written?.0, rule),
        }
        None
    }

    pub fn millicores(&mut self, field: &str, written: Option<&Quantity>) -> Option<u64> {
        let written = written?;
        quantity::millicores(&written.0)
            .map_err(|rule| self.add(field, &written.0, rule))
            .ok()
    }

    /// A field that keeps what it was at creation; sizing may say something else later, and that is ignored.
    pub fn fixed<T: PartialEq + std::fmt::Debug + Copy>(
        &mut self,
        field: &str,
        written: Option<T>,
        standing: Option<T>,
    ) -> Option<T> {
        if let (Some(written), Some(standing)) = (written, standing)
            && written != standing
        {
            self.add(field, format!("{written:?}"), fixed(format_args!("{standing:?}")));
        }
        standing.or(written)
    }
}

/// The rule of a field that keeps what it was at creation, with the way out.
pub fn fixed(standing: impl std::fmt::Display) -> String {
    format!("cannot be changed after creation: it is {standing}; leave it out to go on with that")
}
