//! `product seed`: fills the catalogue with believable products. Product number n is always the same one under the same
//! id, so seeding again adds nothing and seeding more adds the rest. Kinds, brands and colours are unevenly frequent,
//! prices spread log-normally around the middle of their kind.

mod kinds;

use crate::store::{category, product};
use kinds::{BRANDS, COLOURS, DEPARTMENTS, KINDS, Kind, QUALITIES, SERIES};
use shop_contract::api::product::NewProduct;
use shop_contract::seed::product_id;
use shop_kit_postgres::{Pool, StoreError};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Small enough to end long before a statement's time limit.
const BATCH: u32 = 1_000;

/// Returns how many were new.
pub async fn seed(pool: &Pool, count: u32) -> Result<u64, StoreError> {
    let mut categories: Vec<_> = DEPARTMENTS.iter().map(|(slug, name)| (*slug, *name, None)).collect();
    categories.extend(KINDS.iter().map(|kind| (kind.slug, kind.plural, Some(kind.department))));
    category::insert(pool, &categories).await?;
    let (mut added, mut next) = (0, 0);
    while next < count {
        let end = count.min(next.saturating_add(BATCH));
        let products: Vec<(Uuid, NewProduct)> = (next..end)
            .map(|number| (product_id(number), product(number)))
            .collect();
        added += product::insert_many(pool, &products).await?;
        next = end;
    }
    Ok(added)
}

/// The product of this number.
fn product(number: u32) -> NewProduct {
    let mut draws = Draws(u64::from(number));
    let kind = draws.often_early(&KINDS);
    let (brand, series) = (draws.often_early(&BRANDS), draws.evenly(&SERIES));
    let (quality, colour) = (draws.evenly(&QUALITIES), draws.often_early(&COLOURS));
    let (material, size) = (draws.evenly(kind.materials), draws.evenly(kind.sizes));
    let model = format!("{}{}", &series[..1], 100 + number);
    let mut attributes = BTreeMap::from([
        ("colour".to_owned(), (*colour).to_owned()),
        ("material".to_owned(), (*material).to_owned()),
    ]);
    if kind.sizes.len() > 1 {
        attributes.insert("size".to_owned(), (*size).to_owned());
    }
    NewProduct {
        name: format!("{brand} {series} {quality} {} {model}", kind.noun),
        description: format!(
            "{} Made of {material}, in {colour}. From the {series} series by {brand}, model {model}.",
            kind.purpose
        ),
        category: Some(kind.slug.to_owned()),
        brand: Some((*brand).to_owned()),
        attributes,
        price_cents: price(kind, &mut draws),
        currency: "EUR".to_owned(),
        listed: true,
    }
}

/// Ends as prices in shop windows do: in 99, 95 or 00.
fn price(kind: &Kind, draws: &mut Draws) -> i64 {
    let spread = kind.spread as f64 / 100.0;
    let exact = kind.median as f64 * (spread * draws.bell()).exp();
    let whole = (exact / 100.0).round().max(2.0) as i64 * 100;
    whole - draws.evenly(&[1, 1, 1, 5, 0])
}

/// Numbers that follow from a product's number alone, the same on every machine.
struct Draws(u64);

impl Draws {
    /// SplitMix64: neighbours become unlike each other.
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0xd134_2543_de82_ef95)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn evenly<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[(self.unit() * of.len() as f64) as usize]
    }

    /// The first half of a list is drawn about 70 times in 100.
    fn often_early<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let unit = self.unit();
        &of[(unit * unit * of.len() as f64) as usize]
    }

    /// Nearly normal, with deviation 1: the sum of twelve even draws (Irwin–Hall), within ±6.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn products_are_valid_different_and_the_same_every_time() {
        let products: Vec<NewProduct> = (0..5_000).map(product).collect();
        let names: BTreeSet<&str> = products.iter().map(|product| product.name.as_str()).collect();
        assert_eq!(names.len(), 5_000);
        for product in &products {
            assert_eq!(rules::new_product(product), [], "{product:?}");
        }
        assert_eq!(product(7).name, product(7).name);
        assert!(product_id(0) > shop_contract::probe::SYNTHETIC_PRODUCT);
    }

    #[test]
    fn prices_lie_around_the_middle_of_their_kind() {
        let mut prices: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for product in (0..20_000).map(product) {
            prices
                .entry(product.category.unwrap())
                .or_default()
                .push(product.price_cents);
        }
        assert_eq!(prices.len(), KINDS.len());
        for kind in &KINDS {
            let prices = prices.get_mut(kind.slug).unwrap();
            prices.sort_unstable();
            let middle = prices[prices.len() / 2];
            assert!(
                (middle - kind.median).abs() < kind.median / 4,
                "{}: {middle}",
                kind.slug
            );
            assert!(
                prices[0] < middle * 2 / 3 && prices[prices.len() - 1] > middle * 3 / 2,
                "{}",
                kind.slug
            );
        }
    }

    #[test]
    fn kinds_belong_to_departments() {
        for kind in &KINDS {
            assert!(
                DEPARTMENTS.iter().any(|(slug, _)| *slug == kind.department),
                "{}",
                kind.slug
            );
        }
    }
}
