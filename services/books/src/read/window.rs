//! A window over order ids: the union of what every source knows between two ids, of bounded size. All sources have to
//! answer, because an order that is left out would not be looked at again before the next full pass.

use super::{Sources, orders, payments, stock};
use futures::future::try_join_all;
use shop_kit_postgres::StoreError;
use uuid::Uuid;

/// Order ids asked of each source at a time.
const LIMIT: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub ids: Vec<Uuid>,
    /// Everything up to and including this id is in the window.
    pub reached: Uuid,
    /// Nothing is left before the end that was asked for.
    pub complete: bool,
}

impl Sources {
    /// Orders after one id and before another.
    pub async fn window(&self, after: Uuid, before: Uuid) -> Result<Window, StoreError> {
        let (shards, limit) = (self.shards.all(), LIMIT as i64);
        let from_shards = try_join_all(shards.iter().map(|shard| orders::between(shard, after, before, limit)));
        let (mut lists, paid, reserved) = tokio::try_join!(
            from_shards,
            payments::between(&self.payments, after, before, limit),
            stock::between(&self.catalog, after, before, limit),
        )?;
        lists.extend([paid, reserved]);
        Ok(unite(lists, LIMIT, before))
    }
}

/// A source that gave as many as it was asked for may have more, so nothing after its last id is complete.
fn unite(lists: Vec<Vec<Uuid>>, limit: usize, before: Uuid) -> Window {
    let full = lists.iter().filter(|list| list.len() >= limit);
    let bound = full.filter_map(|list| list.last().copied()).min();
    let reached = bound.unwrap_or(before);
    let mut ids: Vec<Uuid> = lists.into_iter().flatten().filter(|id| *id <= reached).collect();
    ids.sort_unstable();
    ids.dedup();
    Window {
        ids,
        reached,
        complete: bound.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u128]) -> Vec<Uuid> {
        numbers.iter().copied().map(Uuid::from_u128).collect()
    }

    #[test]
    fn a_window_ends_where_its_fullest_source_does() {
        let window = unite(
            vec![ids(&[1, 2, 9]), ids(&[2, 4]), ids(&[3, 5, 6])],
            3,
            Uuid::from_u128(100),
        );
        assert_eq!(window.ids, ids(&[1, 2, 3, 4, 5, 6]));
        assert_eq!((window.reached, window.complete), (Uuid::from_u128(6), false));
    }

    #[test]
    fn a_window_that_fits_is_complete() {
        let window = unite(vec![ids(&[1]), ids(&[]), ids(&[7])], 3, Uuid::from_u128(100));
        assert_eq!(
            (window.ids, window.reached, window.complete),
            (ids(&[1, 7]), Uuid::from_u128(100), true)
        );
    }
}
