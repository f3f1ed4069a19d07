//! What somebody added by hand to lists of ours, such as an environment variable: server-side apply leaves it alone because
//! it has another owner. Pure: finds the places; the caller removes them.

use serde_json::Value;

/// Fields by which Kubernetes tells the items of a list apart, the first that an item has.
const IDENTITIES: [&str; 6] = ["name", "mountPath", "containerPort", "port", "topologyKey", "key"];

/// JSON pointers to surplus items, such that removing them one after the other is right.
pub fn additions(live: &Value, wanted: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", live, wanted, &mut found);
    found
}

fn walk(path: &str, live: &Value, wanted: &Value, found: &mut Vec<String>) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (key, wanted) in wanted.iter().filter(|(key, _)| *key != "ownerReferences") {
                if let Some(live) = live.get(key) {
                    walk(&format!("{path}/{}", escaped(key)), live, wanted, found);
                }
            }
        }
        (Value::Array(live), Value::Array(wanted))
            if live.iter().chain(wanted).all(|item| identity(item).is_some()) =>
        {
            // From the end, so that a removal does not move what is still to be removed.
            for (index, item) in live.iter().enumerate().rev() {
                let path = format!("{path}/{index}");
                match wanted.iter().find(|wanted| identity(wanted) == identity(item)) {
                    Some(wanted) => walk(&path, item, wanted, found),
                    None => found.push(path),
                }
            }
        }
        _ => {}
    }
}

fn identity(item: &Value) -> Option<&Value> {
    IDENTITIES.iter().find_map(|key| item.get(key))
}

/// RFC 6901.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_added_variable_and_an_added_container_are_found_from_the_end() {
        let wanted = json!({"spec": {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}]}});
        let live = json!({"spec": {"containers": [
            {"name": "a", "env": [{"name": "BAD"}, {"name": "X", "value": "1"}, {"name": "WORSE"}]},
            {"name": "added"},
        ]}});
        let found = additions(&live, &wanted);
        assert_eq!(
            found,
            [
                "/spec/containers/1",
                "/spec/containers/0/env/2",
                "/spec/containers/0/env/0"
            ]
        );
    }

    #[test]
    fn lists_we_do_not_write_and_plain_values_are_left_alone() {
        let live = json!({"spec": {"tolerations": [{"key": "a"}], "args": ["x", "y"], "finalizers": ["z"]}});
        assert!(additions(&live, &json!({"spec": {"args": ["x"]}})).is_empty());
    }

    #[test]
    fn keys_with_a_slash_make_a_valid_pointer() {
        let wanted = json!({"a/b": [{"name": "x"}]});
        assert_eq!(
            additions(&json!({"a/b": [{"name": "x"}, {"name": "y"}]}), &wanted),
            ["/a~1b/1"]
        );
    }
}
