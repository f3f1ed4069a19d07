//! What a product may be. In: a body that is well formed. Out: every field that breaks a rule, with a pointer to it.
//! Pure.

use shop_contract::api::product::{NewCategory, NewImage, NewPrice, NewProduct, ProductChange};
use shop_contract::problem::FieldError;
use std::collections::BTreeMap;

const NAME: usize = 200;
const DESCRIPTION: usize = 5_000;
const BRAND: usize = 80;
const SLUG: usize = 60;
const ATTRIBUTES: usize = 30;
const ATTRIBUTE_KEY: usize = 40;
const ATTRIBUTE_VALUE: usize = 100;
/// A million of the currency.
const PRICE: i64 = 100_000_000;
const IMAGE_BYTES: u64 = 10 * 1024 * 1024;
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/avif"];

/// Problems found so far.
#[derive(Default)]
struct Problems(Vec<FieldError>);

pub fn new_product(new: &NewProduct) -> Vec<FieldError> {
    let mut problems = Problems::default();
    problems.line("/name", &new.name, NAME);
    problems.text("/description", &new.description, DESCRIPTION);
    problems.optional(new.category.as_deref(), new.brand.as_deref());
    problems.attributes(&new.attributes);
    problems.price(new.price_cents, &new.currency);
    problems.0
}

pub fn product_change(change: &ProductChange) -> Vec<FieldError> {
    let ProductChange {
        name,
        description,
        category,
        brand,
        attributes,
        listed,
    } = change;
    let mut problems = Problems::default();
    let texts = [name, description, category, brand];
    if texts.iter().all(|text| text.is_none()) && attributes.is_none() && listed.is_none() {
        problems.add("", "must say what to change".to_owned());
    }
    if let Some(name) = name {
        problems.line("/name", name, NAME);
    }
    if let Some(description) = description {
        problems.text("/description", description, DESCRIPTION);
    }
    problems.optional(category.as_deref(), brand.as_deref());
    if let Some(attributes) = attributes {
        problems.attributes(attributes);
    }
    problems.0
}

pub fn new_price(price: &NewPrice) -> Vec<FieldError> {
    let mut problems = Problems::default();
    problems.price(price.price_cents, &price.currency);
    problems.0
}

pub fn new_category(new: &NewCategory) -> Vec<FieldError> {
    let mut problems = Problems::default();
    problems.line("/name", &new.name, BRAND);
    if let Some(parent) = &new.parent {
        problems.slug("/parent", parent);
    }
    problems.0
}

pub fn new_image(image: &NewImage) -> Vec<FieldError> {
    let mut problems = Problems::default();
    if !IMAGE_TYPES.contains(&image.content_type.as_str()) {
        problems.add("/content_type", format!("must be one of {}", IMAGE_TYPES.join(", ")));
    }
    if !(1..=IMAGE_BYTES).contains(&image.bytes) {
        problems.add("/bytes", format!("must be between 1 and {IMAGE_BYTES}"));
    }
    problems.0
}

/// Words of lower-case letters and digits, joined by single hyphens.
pub fn is_slug(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= SLUG && text.split('-').all(word)
}

/// Letters, digits and underscores, as the keys of attributes are.
pub fn is_attribute_key(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=ATTRIBUTE_KEY).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(plain)
}

impl Problems {
    fn add(&mut self, pointer: &str, detail: String) {
        self.0.push(FieldError {
            pointer: pointer.to_owned(),
            detail,
        });
    }

    /// One line that says something.
    fn line(&mut self, pointer: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() || length > most || text.chars().any(char::is_control) {
            self.add(pointer, format!("must be 1 to {most} characters on one line"));
        }
    }

    /// Several lines, or none.
    fn text(&mut self, pointer: &str, text: &str, most: usize) {
        let odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        if text.chars().count() > most || text.chars().any(odd) {
            self.add(
                pointer,
                format!("must be at most {most} characters, none of them a control character"),
            );
        }
    }

    fn slug(&mut self, pointer: &str, text: &str) {
        if !is_slug(text) {
            self.add(
                pointer,
                format!("must be at most {SLUG} lower-case letters, digits and hyphens"),
            );
        }
    }

    fn optional(&mut self, category: Option<&str>, brand: Option<&str>) {
        if let Some(category) = category {
            self.slug("/category", category);
        }
        if let Some(brand) = brand {
            self.line("/brand", brand, BRAND);
        }
    }

    fn attributes(&mut self, attributes: &BTreeMap<String, String>) {
        if attributes.len() > ATTRIBUTES {
            self.add("/attributes", format!("must be at most {ATTRIBUTES}"));
        }
        for (key, value) in attributes.iter().take(ATTRIBUTES) {
            let pointer = format!("/attributes/{}", key.replace('~', "~0").replace('/', "~1"));
            if !is_attribute_key(key) {
                let detail =
                    format!("the key must be at most {ATTRIBUTE_KEY} of a-z, 0-9 and _, beginning with a letter");
                self.add(&pointer, detail);
            } else {
                self.line(&pointer, value, ATTRIBUTE_VALUE);
            }
        }
    }

    fn price(&mut self, cents: i64, currency: &str) {
        if !(0..=PRICE).contains(&cents) {
            self.add("/price_cents", format!("must be between 0 and {PRICE}"));
        }
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.add("/currency", "must be three upper-case letters, such as EUR".to_owned());
        }
    }
}
