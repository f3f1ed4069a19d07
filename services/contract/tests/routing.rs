//! Where a customer lies is a promise for ever: the golden vector must never change, buckets must stay even, and a map
//! that leaves a bucket out or has it twice must be refused.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use proptest::prelude::*;
use shop_contract::bucket::{BUCKETS, bucket_of, bucket_of_key};
use shop_contract::shard_map::{Address, FORMAT, ShardMap, ShardMapError};
use uuid::Uuid;

/// Calculated by another implementation of XXH64 (seed 0), modulo 1,024.
const GOLDEN: [(u128, u16); 5] = [
    (0, 50),
    (1, 199),
    (0x01900000_0000_7000_8000_000000000001, 117),
    (0x0193f2a1_7c00_7abc_8def_0123456789ab, 746),
    (u128::MAX, 68),
];

fn addresses(index: u16) -> (Address, Address) {
    let at = |port| Address {
        host: format!("demo-orders-{index}"),
        port,
    };
    (at(6432), at(5432))
}

fn text(map: &ShardMap) -> String {
    serde_json::to_string(map).unwrap()
}

#[test]
fn buckets_are_what_they_were() {
    for (user, bucket) in GOLDEN {
        assert_eq!(bucket_of(Uuid::from_u128(user)).0, bucket, "{user:#x}");
    }
    assert_eq!(bucket_of_key(b"ada@example.com").0, 973);
    assert_eq!(bucket_of_key(b"synthetic-0@shop.invalid").0, 816);
}

/// 100,000 ids over 1,024 buckets: 97.7 each, with a standard deviation of 9.9; six of them are never passed by chance.
fn assert_even(ids: impl Iterator<Item = Uuid>) {
    let mut counts = vec![0_i32; usize::from(BUCKETS)];
    ids.take(100_000)
        .for_each(|id| counts[usize::from(bucket_of(id).0)] += 1);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least >= 38 && *most <= 157, "between {least} and {most} of 97.7");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Ids made one after another, as UUIDv7 makes them, spread as evenly as random ones.
    #[test]
    fn buckets_are_even(first in any::<u128>(), step in 1_u128..=0x1_0000_0000) {
        assert_even((0_u128..).map(|n| Uuid::from_u128(first.wrapping_add(n.wrapping_mul(step)))));
    }

    #[test]
    fn an_even_map_passes_its_check_and_survives_json(count in 1_u16..=256, generation in any::<u64>()) {
        let map = ShardMap::even(generation, count, addresses);
        prop_assert_eq!(map.shards.len(), usize::from(count));
        let sizes: Vec<u16> = map.shards.iter().map(|shard| shard.buckets[0].1 - shard.buckets[0].0 + 1).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{:?}", sizes);
        prop_assert_eq!(ShardMap::parse(&text(&map)), Ok(map));
    }

    #[test]
    fn every_customer_has_one_shard(user in any::<u128>(), count in 1_u16..=256) {
        let map = ShardMap::even(1, count, addresses);
        let bucket = bucket_of(Uuid::from_u128(user));
        prop_assert!(map.shard_of(bucket).unwrap().holds(bucket));
        prop_assert_eq!(map.shards.iter().filter(|shard| shard.holds(bucket)).count(), 1);
    }

    #[test]
    fn a_bucket_that_is_missing_or_doubled_is_named(count in 2_u16..=16, at in 0_usize..15) {
        let at = at % usize::from(count - 1);
        let mut gap = ShardMap::even(1, count, addresses);
        let (first, last) = gap.shards[at].buckets[0];
        gap.shards[at].buckets = vec![(first, last - 1)];
        prop_assert_eq!(gap.check(), Err(ShardMapError::Unassigned(last)));
        let mut twice = ShardMap::even(1, count, addresses);
        twice.shards[at].buckets = vec![(first, last + 1)];
        prop_assert_eq!(twice.check(), Err(ShardMapError::AssignedTwice(last + 1)));
    }
}

#[test]
fn a_document_that_is_not_known_is_refused() {
    let map = ShardMap::even(1, 2, addresses);
    let newer = text(&ShardMap {
        format: FORMAT + 1,
        ..map.clone()
    });
    assert_eq!(ShardMap::parse(&newer), Err(ShardMapError::Format(FORMAT + 1)));
    let halved = text(&ShardMap {
        buckets: 512,
        ..map.clone()
    });
    assert_eq!(ShardMap::parse(&halved), Err(ShardMapError::Buckets(512)));
    for wrong in ["", "{", "[]", "{\"format\":1}"] {
        assert!(
            matches!(ShardMap::parse(wrong), Err(ShardMapError::Layout(_))),
            "{wrong:?}"
        );
    }
}
