//! The rules of what is ordered. In: the lines a customer sent and the products they name. Out: all problems, or what
//! the order costs. Pure.

use crate::prices::Sold;
use shop_contract::api::{OrderLine, PricedLine};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_contract::problem::FieldError;
use shop_kit_http::ApiError;
use std::collections::HashSet;
use uuid::Uuid;

/// An order's lines; a cart may be empty.
pub const MOST_LINES: usize = 50;
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
    if !(1..=MOST_LINES).contains(&lines.len()) {
        errors.push(FieldError::new(
            "/lines",
            format!("must have 1 to {MOST_LINES} entries"),
        ));
    }
    let mut seen = HashSet::new();
    for (index, line) in lines.iter().take(MOST_LINES).enumerate() {
        let product = format!("/lines/{index}/product_id");
        errors.extend(quantity_problem(&format!("/lines/{index}/quantity"), line.quantity));
        if !seen.insert(line.product_id) {
            errors.push(FieldError::new(
                &product,
                "is in an earlier line too: add the quantities",
            ));
        }
        if line.product_id == SYNTHETIC_PRODUCT && !synthetic {
            errors.push(FieldError::new(&product, no_product(line.product_id)));
        }
    }
    errors
}

pub fn quantity_problem(pointer: &str, quantity: u32) -> Option<FieldError> {
    let (least, most) = QUANTITY;
    let sound = (least..=most).contains(&quantity);
    (!sound).then(|| FieldError::new(pointer, format!("is {quantity}: must be between {least} and {most}")))
}

pub fn no_product(id: Uuid) -> String {
    format!("there is no product {id}")
}

/// `products` are those of the lines, in the same order; `None` is one the catalogue does not have.
pub fn priced(lines: &[OrderLine], products: &[Option<Sold>]) -> Result<Priced, ApiError> {
    let sold: Vec<&Sold> = products.iter().flatten().collect();
    let currency = sold.first().map(|first| first.currency.clone()).unwrap_or_default();
    let errors: Vec<FieldError> = lines
        .iter()
        .zip(products)
        .enumerate()
        .filter_map(|(index, (line, product))| {
            let detail = match product {
                None => no_product(line.product_id),
                Some(product) if product.currency != currency => {
                    format!(
                        "is sold in {}, another line in {currency}: order them apart",
                        product.currency
                    )
                }
                Some(_) => return None,
            };
            Some(FieldError::new(format!("/lines/{index}/product_id"), detail))
        })
        .collect();
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let lines: Vec<PricedLine> = lines
        .iter()
        .zip(sold)
        .map(|(line, product)| at_price(line, product))
        .collect();
    let total_cents =
        total(&lines).ok_or_else(|| ApiError::invalid_field("/lines", "costs more than can be counted"))?;
    Ok(Priced {
        lines,
        total_cents,
        currency,
    })
}

fn at_price(line: &OrderLine, product: &Sold) -> PricedLine {
    PricedLine {
        product_id: line.product_id,
        quantity: line.quantity,
        price_cents: product.price_cents,
    }
}

fn total(lines: &[PricedLine]) -> Option<i64> {
    lines.iter().try_fold(0_i64, |sum, line| {
        sum.checked_add(line.price_cents.checked_mul(i64::from(line.quantity))?)
    })
}
