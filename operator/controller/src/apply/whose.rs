//! Whose is an object that bears a name we want? Server-side apply by force takes over whatever it finds, also what a
//! person made or another shop needs. Pure: metadata in, the owner out unless it is this shop.

use kube::api::ObjectMeta;
use shop_plan::names;

/// Words for who has the object; `None` when it is this shop's, or was that of an earlier shop of its name.
pub fn stranger(meta: &ObjectMeta, shop: &str, uid: &str) -> Option<String> {
    let mut owners = meta.owner_references.iter().flatten();
    if let Some(owner) = owners.find(|owner| owner.controller == Some(true)) {
        let ours = owner.kind == "ShopDeployment" && (owner.uid == uid || owner.name == shop);
        return (!ours).then(|| format!("{} {}", owner.kind, owner.name));
    }
    let label = |name: &str| Some(meta.labels.as_ref()?.get(name)?.as_str());
    let ours = label(names::MANAGED_BY) == Some(names::OPERATOR) && label(names::INSTANCE) == Some(shop);
    (!ours).then(|| "no shop".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn asked(meta: Value) -> Option<String> {
        let meta = serde_json::from_value(meta).expect("metadata");
        stranger(&meta, "demo", "u1")
    }

    fn owned(kind: &str, name: &str, uid: &str) -> Value {
        let owner = json!({"apiVersion": "v", "kind": kind, "name": name, "uid": uid, "controller": true});
        json!({"ownerReferences": [owner], "labels": names::labels(name, "service", "eu-gateway")})
    }

    #[test]
    fn ours_are_those_of_this_shop_and_of_an_earlier_one_of_its_name() {
        assert_eq!(asked(owned("ShopDeployment", "demo", "u1")), None);
        assert_eq!(asked(owned("ShopDeployment", "demo", "u0")), None);
        assert_eq!(asked(json!({"labels": names::labels("demo", "service", "x")})), None);
    }

    #[test]
    fn another_shop_another_controller_and_a_person_keep_theirs() {
        let other = asked(owned("ShopDeployment", "demo-eu", "u2"));
        assert_eq!(other.as_deref(), Some("ShopDeployment demo-eu"));
        let labelled = json!({"labels": names::labels("demo", "service", "x"),
            "ownerReferences": owned("Deployment", "demo", "u3")["ownerReferences"]});
        assert_eq!(asked(labelled).as_deref(), Some("Deployment demo"));
        assert!(asked(json!({})).is_some());
        assert!(asked(json!({"labels": names::labels("other", "service", "x")})).is_some());
    }
}
