//! The rules of an address. In: what was sent. Out: all problems at once, or what is written. Pure.

use crate::account::{text, wrong};
use shop_contract::api::user::NewAddress;
use shop_contract::problem::FieldError;

/// Characters of the longest name, line, place and postal code.
const NAME: usize = 100;
const LINE: usize = 200;
const PLACE: usize = 100;
const POSTAL_CODE: usize = 20;

/// Every field at once, each trimmed, the country in capitals.
pub fn check(sent: &NewAddress) -> Result<NewAddress, Vec<FieldError>> {
    let mut errors = Vec::new();
    let NewAddress {
        recipient,
        line1,
        line2,
        city,
        region,
        postal_code,
        country,
    } = sent;
    let checked = NewAddress {
        recipient: text("/recipient", recipient, NAME, &mut errors),
        line1: text("/line1", line1, LINE, &mut errors),
        line2: optional("/line2", line2.as_deref(), LINE, &mut errors),
        city: text("/city", city, PLACE, &mut errors),
        region: optional("/region", region.as_deref(), PLACE, &mut errors),
        postal_code: text("/postal_code", postal_code, POSTAL_CODE, &mut errors),
        country: country.trim().to_ascii_uppercase(),
    };
    let letters = checked.country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !letters || checked.country.len() != 2 {
        errors.push(wrong("/country", "must be a country's two letters (ISO 3166-1)"));
    }
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

fn optional(pointer: &str, given: Option<&str>, most: usize, errors: &mut Vec<FieldError>) -> Option<String> {
    given.map(|given| text(pointer, given, most, errors))
}
