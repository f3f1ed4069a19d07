//! `product seed`: fills the catalogue with believable products. Product number n is always the same one, so seeding
//! again adds nothing and seeding more adds the rest.

use crate::store::product;
use shop_contract::api::Product;
use shop_kit_postgres::{Pool, StoreError};
use uuid::Uuid;

const BATCH: u32 = 2_000;
/// Seeded ids follow each other from here, all above the synthetic product's.
const FIRST: u128 = 0x01900000_0000_7000_9000_000000000000;

const MAKERS: [&str; 12] = [
    "Alder",
    "Brightwater",
    "Cobble",
    "Dunmore",
    "Eastfold",
    "Fernley",
    "Granite",
    "Harrow",
    "Ivory",
    "Juniper",
    "Kestrel",
    "Larkspur",
];
const QUALITIES: [&str; 10] = [
    "Compact",
    "Classic",
    "Everyday",
    "Foldable",
    "Insulated",
    "Light",
    "Recycled",
    "Sturdy",
    "Travel",
    "Wide",
];
/// Name, what it is for, lowest and highest price in cents.
const THINGS: [(&str, &str, i64, i64); 16] = [
    ("Backpack", "carries a day's worth of things", 3_900, 14_900),
    ("Kettle", "boils a litre in under four minutes", 2_400, 8_900),
    ("Desk Lamp", "lights a desk without glare", 1_900, 9_900),
    ("Notebook", "192 dotted pages that lie flat", 700, 2_400),
    ("Headphones", "keep the office out", 2_900, 24_900),
    ("Rain Jacket", "keeps you dry and folds into its pocket", 4_900, 19_900),
    ("Chef's Knife", "a 20 cm blade that takes an edge", 2_900, 15_900),
    ("Water Bottle", "holds 750 ml and does not leak", 1_200, 3_900),
    ("Bicycle Light", "is seen from 400 m", 1_500, 6_900),
    ("Office Chair", "adjusts where it matters", 8_900, 49_900),
    ("Coffee Grinder", "grinds evenly, from espresso to press", 3_900, 29_900),
    ("Yoga Mat", "grips and rolls up small", 1_900, 7_900),
    ("Phone Stand", "holds any phone at a readable angle", 900, 3_400),
    ("Wool Blanket", "warms without weight", 3_900, 12_900),
    ("Tool Set", "38 pieces for the repairs of a household", 2_900, 11_900),
    ("Running Shoes", "for roads and firm paths", 5_900, 16_900),
];

/// Returns how many were new.
pub async fn seed(pool: &Pool, count: u32) -> Result<u64, StoreError> {
    let mut added = 0;
    let mut next = 1;
    while next <= count {
        let last = count.min(next + BATCH - 1);
        let products: Vec<Product> = (next..=last).map(product_number).collect();
        added += product::insert(pool, &products).await?;
        next = last + 1;
    }
    Ok(added)
}

/// The n-th product.
fn product_number(n: u32) -> Product {
    let mixed = mix(u64::from(n));
    let pick = |shift: u32, length: usize| (mixed >> shift) as usize % length;
    let (maker, quality) = (MAKERS[pick(0, MAKERS.len())], QUALITIES[pick(8, QUALITIES.len())]);
    let (thing, purpose, low, high) = THINGS[pick(16, THINGS.len())];
    let steps = (high - low) / 100;
    // Prices that end in 99 or 00, as shop windows have them.
    let price_cents = low + ((mixed >> 24) as i64 & 0xffff) % (steps + 1) * 100 - ((mixed >> 41) & 1) as i64;
    Product {
        id: Uuid::from_u128(FIRST + u128::from(n)),
        name: format!("{maker} {quality} {thing} {n}"),
        description: format!("The {quality} {thing} by {maker}: {purpose}."),
        price_cents,
        currency: "EUR".to_owned(),
    }
}

/// SplitMix64's finaliser: neighbours become unlike each other, and the same on every machine.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn products_are_many_different_and_priced_as_their_kind() {
        let products: Vec<Product> = (1..=5_000).map(product_number).collect();
        let names: BTreeSet<&str> = products.iter().map(|product| product.name.as_str()).collect();
        assert_eq!(names.len(), 5_000);
        assert!(
            products
                .iter()
                .all(|product| (600..50_000).contains(&product.price_cents))
        );
        assert_eq!(product_number(7).name, product_number(7).name);
        assert!(products[0].id > shop_contract::probe::SYNTHETIC_PRODUCT);
    }
}
