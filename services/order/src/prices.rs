//! Asks the product service what things cost. In: product ids. Out: their prices, in the same order, `None` for one the
//! catalogue does not have; a failure names its tier. An answer is used for one second after it was asked for, so an
//! order is charged a price the catalogue had at most a second before; what it did not have is asked for every time.

use crate::neighbour::Neighbour;
use prometheus::{IntCounterVec, Opts, Registry};
use reqwest::StatusCode;
use serde::Deserialize;
use shop_contract::api::PRODUCTS;
use shop_kit_http::{ApiError, RequestId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

const FRESH: Duration = Duration::from_secs(1);
/// Prices remembered, about a hundred bytes each.
const MOST: usize = 10_000;

/// What an order needs to know of a product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sold {
    pub id: Uuid,
    pub price_cents: i64,
    pub currency: String,
}

#[derive(Deserialize)]
struct Listed {
    items: Vec<Sold>,
}

/// Cloning shares what is remembered.
#[derive(Clone)]
pub struct Prices {
    product: Neighbour,
    known: Arc<Mutex<HashMap<Uuid, (Instant, Sold)>>>,
    asked: IntCounterVec,
}

impl Prices {
    pub fn new(product: Neighbour, registry: &Registry) -> prometheus::Result<Self> {
        let name = Opts::new("shop_order_prices_total", "Prices looked up, by where they were found");
        let asked = IntCounterVec::new(name, &["from"])?;
        registry.register(Box::new(asked.clone()))?;
        Ok(Self {
            product,
            known: Arc::default(),
            asked,
        })
    }

    /// The products with these ids; at most as many as an order has lines.
    pub async fn of(&self, ids: &[Uuid], request: &RequestId) -> Result<Vec<Option<Sold>>, ApiError> {
        let asked = Instant::now();
        let mut found = self.remembered(ids, asked);
        self.asked.with_label_values(&["memory"]).inc_by(found.len() as u64);
        let missing: Vec<String> = ids
            .iter()
            .filter(|id| !found.contains_key(*id))
            .map(Uuid::to_string)
            .collect();
        if !missing.is_empty() {
            self.asked.with_label_values(&["product"]).inc_by(missing.len() as u64);
            let listed = self.ask(&missing, request).await?;
            self.remember(&listed, asked);
            found.extend(listed.into_iter().map(|sold| (sold.id, sold)));
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn ask(&self, ids: &[String], request: &RequestId) -> Result<Vec<Sold>, ApiError> {
        let path = format!("{PRODUCTS}?ids={}", ids.join(","));
        let answer = self.product.get(&path, request).await?;
        if answer.status != StatusCode::OK {
            return Err(self.product.refused(&answer));
        }
        let listed: Listed = serde_json::from_slice(&answer.body).map_err(|error| self.product.nonsense(&error))?;
        Ok(listed.items)
    }

    fn remembered(&self, ids: &[Uuid], now: Instant) -> HashMap<Uuid, Sold> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |id: &Uuid| {
            let (asked, sold) = known.get(id)?;
            (now.duration_since(*asked) < FRESH).then(|| (*id, sold.clone()))
        };
        ids.iter().filter_map(fresh).collect()
    }

    fn remember(&self, listed: &[Sold], asked: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + listed.len() > MOST {
            known.retain(|_, (before, _)| asked.duration_since(*before) < FRESH);
        }
        if known.len() + listed.len() > MOST {
            known.clear();
        }
        known.extend(listed.iter().map(|sold| (sold.id, (asked, sold.clone()))));
    }
}
