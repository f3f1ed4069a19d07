//! The shard map's generation, the keys of the Secret, Patroni's rights.

use super::{Ground, wanted_map};
use crate::contract::Component;
use crate::fixtures::{empty_world, shop};
use crate::object::Body;
use crate::observed::Seen;
use crate::topology::shards;
use shop_contract::shard_map::ShardMap;

#[test]
fn the_generation_grows_only_with_the_content() {
    let mut shop = shop();
    let first = wanted_map(&shop, &Seen::Absent).unwrap();
    assert_eq!((first.generation, first.check()), (1, Ok(())));
    let later = ShardMap {
        generation: 7,
        ..shards::even_map(&shop)
    };
    assert_eq!(wanted_map(&shop, &Seen::Known(later.clone())).unwrap(), later);
    let mut moved = later;
    moved.shards[0].pooler.host = "elsewhere".into();
    assert_eq!(wanted_map(&shop, &Seen::Known(moved)).unwrap().generation, 8);
    shop.map_generation = 7;
    assert_eq!(wanted_map(&shop, &Seen::Absent).unwrap().generation, 7);
}

#[test]
fn an_unreadable_map_is_kept() {
    let mut seen = empty_world();
    seen.shard_map = Seen::Unknown("not JSON".into());
    let plan = Ground.plan(&shop(), &seen).unwrap();
    assert!(!plan.objects.iter().any(|object| object.kind() == "ConfigMap"));
    assert!(plan.waiting[0].reason.contains("not JSON"));
}

#[test]
fn the_secret_has_every_key_once() {
    let plan = Ground.plan(&shop(), &empty_world()).unwrap();
    let keys = plan.objects.iter().find_map(|object| match &object.body {
        Body::Generated { keys, .. } => Some(keys.iter().map(|key| key.key.clone()).collect::<Vec<_>>()),
        Body::Applied(_) => None,
    });
    let mut keys = keys.unwrap();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), count), (14, 14));
}

#[test]
fn patroni_may_change_its_own_pods_only() {
    let plan = Ground.plan(&shop(), &empty_world()).unwrap();
    let role = plan
        .objects
        .iter()
        .find(|object| object.kind() == "Role")
        .unwrap()
        .body
        .clone();
    let Body::Applied(role) = role else {
        panic!("a role is applied")
    };
    for rule in role["rules"].as_array().unwrap() {
        let verbs = rule["verbs"].to_string();
        assert!(!verbs.contains("delete") && !verbs.contains('*'));
        assert_eq!(verbs.contains("patch"), rule["resourceNames"].is_array(), "{rule}");
    }
}
