//! Addresses and their rules, which are the same for one that is kept and for one that an order is sent to.

use crate::problem::{FieldError, text};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Characters of the longest name, line, place and postal code.
const NAME: usize = 100;
const LINE: usize = 200;
const PLACE: usize = 100;
const POSTAL_CODE: usize = 20;

/// Where something is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// Who receives there.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub recipient: String,
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub line2: Option<String>,
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub region: Option<String>,
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 20))]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, such as `DE`.
    #[cfg_attr(feature = "openapi", schema(min_length = 2, max_length = 2))]
    pub country: String,
}

/// One that an account keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    pub id: Uuid,
    pub recipient: String,
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    pub city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub postal_code: String,
    pub country: String,
}

impl PostalAddress {
    /// All problems at once, their pointers below `at`, or the address as it is written: each field trimmed, the country
    /// in capitals.
    pub fn checked(&self, at: &str) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut line = |field: &str, given: &str, most| text(&format!("{at}/{field}"), given, most, &mut errors);
        let checked = Self {
            recipient: line("recipient", &self.recipient, NAME),
            line1: line("line1", &self.line1, LINE),
            line2: self.line2.as_deref().map(|given| line("line2", given, LINE)),
            city: line("city", &self.city, PLACE),
            region: self.region.as_deref().map(|given| line("region", given, PLACE)),
            postal_code: line("postal_code", &self.postal_code, POSTAL_CODE),
            country: self.country.trim().to_ascii_uppercase(),
        };
        let letters = checked.country.bytes().all(|byte| byte.is_ascii_uppercase());
        if !letters || checked.country.len() != 2 {
            let rule = "must be a country's two letters (ISO 3166-1)";
            errors.push(FieldError::new(format!("{at}/country"), rule));
        }
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }

    /// Its fields with their names, those that are not there left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("recipient", Some(&self.recipient)),
            ("line1", Some(&self.line1)),
            ("line2", self.line2.as_ref()),
            ("city", Some(&self.city)),
            ("region", self.region.as_ref()),
            ("postal_code", Some(&self.postal_code)),
            ("country", Some(&self.country)),
        ];
        fields
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?.as_str())))
    }
}
