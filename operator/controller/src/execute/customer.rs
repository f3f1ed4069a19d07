//! The synthetic customers, one per shard of `orders`: always the same, so that any process of the operator finds the
//! ones registered before. Pure: the same shard map and key give the same customers.

use sha2::{Digest, Sha256};
use shop_contract::bucket::bucket_of;
use shop_contract::shard_map::ShardMap;
use uuid::Uuid;

/// Tries before giving up; a shard with a single bucket needs about a thousand.
const TRIES: u32 = 100_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    pub id: Uuid,
    pub email: String,
    pub password: String,
}

/// The customer of a shard; `None` when no bucket lies in it.
pub fn customer_of(map: &ShardMap, shard: u16, synthetic_key: &str) -> Option<Customer> {
    let id = (0..TRIES)
        .map(|attempt| candidate(shard, attempt))
        .find(|id| map.shard_of(bucket_of(*id)).is_some_and(|found| found.index == shard))?;
    let password = hash(&[b"password", &shard.to_be_bytes(), synthetic_key.as_bytes()]);
    let password = password.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Customer {
        id,
        email: format!("synthetic-{shard}@shop.invalid"),
        password,
    })
}

fn candidate(shard: u16, attempt: u32) -> Uuid {
    let hash = hash(&[b"synthetic customer", &shard.to_be_bytes(), &attempt.to_be_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_contract::shard_map::Address;

    #[test]
    fn every_shard_has_its_own_customer_and_always_the_same() {
        let address = || Address {
            host: "h".into(),
            port: 1,
        };
        let map = ShardMap::even(1, 16, |_| (address(), address()));
        for shard in 0..16 {
            let customer = customer_of(&map, shard, "key").expect("each shard has buckets");
            assert_eq!(
                map.shard_of(bucket_of(customer.id)).map(|found| found.index),
                Some(shard)
            );
            assert_eq!(Some(&customer), customer_of(&map, shard, "key").as_ref());
        }
        assert_eq!(customer_of(&map, 16, "key"), None);
    }
}
