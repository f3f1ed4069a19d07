//! Orders of all shards at once: what each of them has, and what it means when none has one.

use super::orders;
use crate::facts::{OrderRow, Seen};
use futures::future::join_all;
use shop_kit_postgres::{Shard, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) struct Ordered {
    known: HashMap<Uuid, OrderRow>,
    /// The smallest id that is attached in every shard.
    floor: Uuid,
    /// Tiers that did not answer.
    silent: Vec<String>,
}

impl Ordered {
    pub async fn read(shards: &[Shard], ids: &[Uuid]) -> Self {
        let mut this = Self {
            known: HashMap::new(),
            floor: Uuid::nil(),
            silent: Vec::new(),
        };
        for rows in join_all(shards.iter().map(|shard| orders::read(shard, ids))).await {
            let rows = this.heard(rows);
            this.known.extend(rows.into_iter().flatten());
        }
        // After the orders: a month that was attached then may be gone now, but not the other way round.
        if ids.iter().any(|id| !this.known.contains_key(id)) {
            for floor in join_all(shards.iter().map(orders::floor)).await {
                this.floor = this.heard(floor).unwrap_or_default().max(this.floor);
            }
        }
        this
    }

    pub fn take(&mut self, id: Uuid) -> Seen<OrderRow> {
        match self.known.remove(&id) {
            Some(row) => Seen::Known(row),
            None if !self.silent.is_empty() => Seen::Unknown(self.silent.join(", ")),
            None if id < self.floor => Seen::Detached,
            None => Seen::Absent,
        }
    }

    fn heard<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        answer.map_err(|error| self.silent.push(error.tier().to_string())).ok()
    }
}
