//! Values a user may write in two ways: `250000` or `250k`, `2` or `500m`. Parsed here as far as the type needs; what a
//! quantity of bytes or cores means is decided in the plan.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// A Kubernetes quantity: `20Gi`, `512Mi`, `500m`, `2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

/// A number of people, orders or products: `250000`, `250k`, `10M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Count(pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(match NumberOrText::deserialize(input)? {
            NumberOrText::Number(number) => Self(number.to_string()),
            NumberOrText::Text(text) => Self(text),
        })
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match NumberOrText::deserialize(input)? {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => Self::parse(&text).ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is not a count, such as 250000, 250k or 10M"))
            }),
        }
    }
}

impl Count {
    fn parse(text: &str) -> Option<Self> {
        let unit = [("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000_u64)]
            .into_iter()
            .find(|(unit, _)| text.ends_with(unit));
        let (digits, factor) = unit.map_or((text, 1), |(unit, factor)| (&text[..text.len() - unit.len()], factor));
        digits.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }
}

/// Pattern and length bind only text; the API server checks both ways of writing.
fn number_or_text(pattern: &str) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "minimum": 0,
        "maxLength": 24,
        "pattern": pattern,
    })
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        number_or_text(r"^[0-9]+(\.[0-9]{1,9})?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$")
    }
}

impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        number_or_text(r"^[0-9]{1,9}[kMG]?$")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_in_both_ways() {
        let read = |json: &str| serde_json::from_str::<Count>(json);
        assert_eq!(read("250000").unwrap(), Count(250_000));
        assert_eq!(read("\"250k\"").unwrap(), Count(250_000));
        assert_eq!(read("\"10M\"").unwrap(), Count(10_000_000));
        assert!(read("\"many\"").unwrap_err().to_string().contains("250k"));
    }

    #[test]
    fn a_bare_number_is_a_quantity() {
        assert_eq!(serde_json::from_str::<Quantity>("2").unwrap(), Quantity("2".into()));
    }
}
