use super::*;
use serde_json::json;

fn object(name: &str, version: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "metadata": {
            "name": name, "namespace": "default", "uid": "u1", "resourceVersion": version,
            "labels": {"app.kubernetes.io/instance": "demo"},
            "managedFields": [{"manager": "someone"}],
        },
        "data": {"key": "value"},
    }))
    .expect("a config map")
}

fn demo() -> ShopKey {
    ShopKey {
        namespace: "default".into(),
        name: "demo".into(),
    }
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let cache = Cache::default();
    let kind = index_of("ConfigMap").expect("known");
    assert_eq!(cache.put(kind, &object("demo-map", "10")), [demo()]);
    assert_eq!(cache.put(kind, &object("demo-map", "9")), []);
    assert_eq!(cache.put(kind, &object("demo-map", "10")), []);
    assert_eq!(
        cache.entry(&demo(), kind, "demo-map").expect("kept").resource_version,
        "10"
    );
}

#[test]
fn managed_fields_are_not_kept_and_secrets_have_no_data() {
    let cache = Cache::default();
    let (map, secret) = (
        index_of("ConfigMap").expect("known"),
        index_of("Secret").expect("known"),
    );
    cache.put(map, &object("demo-map", "1"));
    cache.put(secret, &object("demo-secrets", "1"));
    let map = cache.entry(&demo(), map, "demo-map").expect("kept").value();
    assert_eq!(map["data"]["key"], "value");
    assert!(map["metadata"].get("managedFields").is_none());
    let secret = cache.entry(&demo(), secret, "demo-secrets").expect("kept").value();
    assert!(secret.get("data").is_none(), "{secret}");
}

#[test]
fn a_kind_is_unknown_until_listed_and_then_what_was_not_listed_is_gone() {
    let cache = Cache::default();
    let kind = index_of("ConfigMap").expect("known");
    cache.put(kind, &object("old", "1"));
    cache.put(kind, &object("new", "2"));
    assert!(matches!(
        cache.list::<serde_json::Value>(&demo(), "ConfigMap"),
        Seen::Unknown(_)
    ));
    let changed = cache.listed(kind, &HashSet::from([(demo(), "new".to_owned())]));
    assert_eq!(changed, vec![demo()]);
    let left = cache.list::<serde_json::Value>(&demo(), "ConfigMap");
    assert_eq!(left.known().expect("listed").len(), 1);
}

#[test]
fn an_object_whose_label_was_changed_is_no_longer_the_old_shops() {
    let cache = Cache::default();
    let kind = index_of("ConfigMap").expect("known");
    cache.put(kind, &object("shared", "1"));
    let mut moved = object("shared", "2");
    let labels = moved.metadata.labels.get_or_insert_default();
    labels.insert(INSTANCE_LABEL.into(), "other".into());
    let other = ShopKey {
        name: "other".into(),
        ..demo()
    };
    assert_eq!(cache.put(kind, &moved), [demo(), other.clone()]);
    assert!(cache.entry(&demo(), kind, "shared").is_none());
    assert!(cache.entry(&other, kind, "shared").is_some());
}
