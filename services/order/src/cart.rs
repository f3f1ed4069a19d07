//! The rules of a cart. In: the lines a customer sent and the products they name. Out: all problems, or what the order
//! costs. Pure.

use sha2::{Digest, Sha256};
use shop_contract::api::{OrderLine, PlaceOrder, PricedLine, Product};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_contract::problem::FieldError;
use shop_kit_http::ApiError;
use std::collections::HashSet;

const LINES: (usize, usize) = (1, 50);
const QUANTITY: (u32, u32) = (1, 99);

/// What is written besides who ordered.
pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub total_cents: i64,
    pub currency: String,
}

/// Every line at once.
pub fn problems(lines: &[OrderLine], synthetic: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: String, detail: String| errors.push(FieldError { pointer, detail });
    if !(LINES.0..=LINES.1).contains(&lines.len()) {
        wrong(
            "/lines".to_owned(),
            format!("must have {} to {} entries", LINES.0, LINES.1),
        );
    }
    let mut seen = HashSet::new();
    for (index, line) in lines.iter().take(LINES.1).enumerate() {
        if !(QUANTITY.0..=QUANTITY.1).contains(&line.quantity) {
            let detail = format!(
                "is {}: must be between {} and {}",
                line.quantity, QUANTITY.0, QUANTITY.1
            );
            wrong(format!("/lines/{index}/quantity"), detail);
        }
        if !seen.insert(line.product_id) {
            wrong(
                format!("/lines/{index}/product_id"),
                "is in an earlier line too: add the quantities".to_owned(),
            );
        }
        if line.product_id == SYNTHETIC_PRODUCT && !synthetic {
            wrong(
                format!("/lines/{index}/product_id"),
                format!("there is no product {SYNTHETIC_PRODUCT}"),
            );
        }
    }
    errors
}

pub fn priced(lines: &[OrderLine], products: &[Product]) -> Result<Priced, ApiError> {
    let currency = products
        .first()
        .map(|product| product.currency.clone())
        .unwrap_or_default();
    if let Some(index) = products.iter().position(|product| product.currency != currency) {
        let detail = format!(
            "is sold in {}, the first line in {currency}: order them apart",
            products[index].currency
        );
        return Err(ApiError::invalid_field(format!("/lines/{index}/product_id"), detail));
    }
    let lines: Vec<PricedLine> = lines
        .iter()
        .zip(products)
        .map(|(line, product)| PricedLine {
            product_id: line.product_id,
            quantity: line.quantity,
            price_cents: product.price_cents,
        })
        .collect();
    let total = lines.iter().try_fold(0_i64, |sum, line| {
        sum.checked_add(line.price_cents.checked_mul(i64::from(line.quantity))?)
    });
    let total_cents = total.ok_or_else(|| ApiError::invalid_field("/lines", "costs more than can be counted"))?;
    Ok(Priced {
        lines,
        total_cents,
        currency,
    })
}

/// Of what was asked for, not of how it was spelled.
pub fn hash(body: &PlaceOrder) -> Vec<u8> {
    let mut digest = Sha256::new();
    for line in &body.lines {
        digest.update(line.product_id.as_bytes());
        digest.update(line.quantity.to_be_bytes());
    }
    digest.finalize().to_vec()
}
