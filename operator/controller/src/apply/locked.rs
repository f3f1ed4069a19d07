//! Which keys of the generated Secret open data that are there already: a new password would lock everybody out of them.
//! In come lost keys and what holds data, out goes a refusal. The password of Redis and the cookie of RabbitMQ are in no
//! data, so they may be made anew.

use crate::cache::{Cache, ShopKey};
use kube::api::{DynamicObject, ObjectMeta};
use shop_plan::Seen;
use shop_plan::names::{self, key};
use std::collections::BTreeSet;

/// What stands for data: a claim, or a StatefulSet that is about to have one.
const HOLDERS: [&str; 2] = ["PersistentVolumeClaim", "StatefulSet"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    kind: &'static str,
    name: String,
    /// Its label `component`: `postgres`, `redis`, `rabbitmq`.
    component: String,
    /// Its label `name`: `orders-0`.
    part: String,
}

/// Everything that holds data of a shop; `Err` says why that is not known.
pub fn holders(cache: &Cache, shop: &ShopKey) -> Result<Vec<Holder>, String> {
    let mut found = Vec::new();
    for kind in HOLDERS {
        match cache.list::<DynamicObject>(shop, kind) {
            Seen::Known(objects) => found.extend(objects.iter().map(|object| holder(kind, &object.metadata))),
            Seen::Absent => {}
            Seen::Unknown(why) => return Err(why),
        }
    }
    Ok(found)
}

fn holder(kind: &'static str, meta: &ObjectMeta) -> Holder {
    let label = |name: &str| meta.labels.as_ref().and_then(|all| all.get(name)).cloned();
    Holder {
        kind,
        name: meta.name.clone().unwrap_or_default(),
        component: label(names::COMPONENT).unwrap_or_default(),
        part: label(names::NAME).unwrap_or_default(),
    }
}

/// Why the lost keys must not be made anew; `None` when none of them opens anything.
pub fn refusal<'a>(shop: &ShopKey, lost: impl Iterator<Item = &'a String>, holders: &[Holder]) -> Option<String> {
    let lost: Vec<&String> = lost
        .filter(|key| holders.iter().any(|holder| opens(key, holder)))
        .collect();
    let locked: Vec<&Holder> = holders
        .iter()
        .filter(|holder| lost.iter().any(|key| opens(key, holder)))
        .collect();
    let first = locked.first()?;
    let parts: BTreeSet<&str> = locked.iter().map(|holder| holder.part.as_str()).collect();
    Some(format!(
        "{} missing, and only the old passwords open the data of {} {}{}: write them back from a backup, or give these \
         data up for good: kubectl delete statefulset,pvc -n {} -l '{}={},{} in ({})'",
        said(&lost),
        first.kind,
        first.name,
        match locked.len() {
            1 => String::new(),
            all => format!(" and {} more", all - 1),
        },
        shop.namespace,
        names::INSTANCE,
        shop.name,
        names::NAME,
        parts.into_iter().collect::<Vec<_>>().join(","),
    ))
}

fn said(keys: &[&String]) -> String {
    let words = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
    match keys {
        [_] => format!("key {words} is"),
        _ => format!("keys {words} are"),
    }
}

fn opens(lost: &str, holder: &Holder) -> bool {
    match holder.component.as_str() {
        "postgres" => {
            let database = holder.part.rsplit_once('-').map(|(database, _)| database);
            [key::POSTGRES_SUPERUSER, key::POSTGRES_REPLICATION, key::POSTGRES_REWIND].contains(&lost)
                || database.is_some_and(|database| lost == key::database_password(database))
        }
        "rabbitmq" => [key::RABBITMQ_ADMIN, key::RABBITMQ_SHOP].contains(&lost),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::index_of;
    use serde_json::json;
    use std::collections::HashSet;

    fn demo() -> ShopKey {
        ShopKey {
            namespace: "default".into(),
            name: "demo".into(),
        }
    }

    fn claim(component: &str, part: &str) -> Holder {
        Holder {
            kind: "PersistentVolumeClaim",
            name: format!("data-demo-{part}-0"),
            component: component.into(),
            part: part.into(),
        }
    }

    fn refused(lost: &[&str], holders: &[Holder]) -> Option<String> {
        let lost: Vec<String> = lost.iter().map(|key| (*key).to_owned()).collect();
        refusal(&demo(), lost.iter(), holders)
    }

    #[test]
    fn a_new_shop_and_a_new_key_lock_nothing() {
        assert_eq!(refused(&["postgres-superuser", "rabbitmq-admin"], &[]), None);
        let all = [
            claim("postgres", "orders-0"),
            claim("rabbitmq", "rabbitmq"),
            claim("redis", "redis"),
        ];
        assert_eq!(
            refused(&["webhook-secret", "redis-password", "erlang-cookie"], &all),
            None
        );
    }

    #[test]
    fn a_database_is_opened_by_its_own_password_and_by_those_of_postgres() {
        let orders = [claim("postgres", "orders-1")];
        assert_eq!(refused(&["catalog-password", "rabbitmq-shop"], &orders), None);
        for lost in [
            "orders-password",
            "postgres-superuser",
            "postgres-replication",
            "postgres-rewind",
        ] {
            let words = refused(&[lost], &orders).expect("it would lock the orders");
            assert!(words.starts_with(&format!("key {lost} is missing")), "{words}");
            assert!(words.contains("PersistentVolumeClaim data-demo-orders-1-0:"), "{words}");
        }
        for lost in ["rabbitmq-admin", "rabbitmq-shop"] {
            assert!(refused(&[lost], &[claim("rabbitmq", "rabbitmq")]).is_some(), "{lost}");
        }
    }

    #[test]
    fn the_refusal_names_only_what_is_locked() {
        let holders = [
            claim("postgres", "catalog-0"),
            claim("postgres", "orders-0"),
            claim("postgres", "orders-1"),
        ];
        let words = refused(&["orders-password", "webhook-secret"], &holders).expect("locked");
        assert_eq!(
            words,
            "key orders-password is missing, and only the old passwords open the data of PersistentVolumeClaim \
             data-demo-orders-0-0 and 1 more: write them back from a backup, or give these data up for good: kubectl \
             delete statefulset,pvc -n default -l 'app.kubernetes.io/instance=demo,app.kubernetes.io/name in \
             (orders-0,orders-1)'"
        );
    }

    #[test]
    fn what_was_not_listed_yet_may_hold_data() {
        let cache = Cache::default();
        assert!(holders(&cache, &demo()).is_err());
        let claims = index_of("PersistentVolumeClaim").expect("in the table");
        let object = serde_json::from_value(json!({"metadata": {
            "name": "data-demo-orders-0-0", "namespace": "default", "uid": "u", "resourceVersion": "1",
            "labels": names::labels("demo", "postgres", "orders-0"),
        }}))
        .expect("a claim");
        cache.put(claims, &object);
        cache.listed(claims, &HashSet::from([(demo(), "data-demo-orders-0-0".to_owned())]));
        assert!(holders(&cache, &demo()).is_err(), "StatefulSets are not listed yet");
        cache.listed(index_of("StatefulSet").expect("in the table"), &HashSet::new());
        assert_eq!(holders(&cache, &demo()), Ok(vec![claim("postgres", "orders-0")]));
    }
}
