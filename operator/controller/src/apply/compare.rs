//! Is what we want already there? The API server adds defaults and other controllers add fields, so the question is
//! whether the wanted object is contained in the live one. Pure; knows the few places where Kubernetes rewrites what it
//! was given (empty values dropped, lists merged by key, quantities in another notation).

use serde_json::{Map, Value};

/// True when applying `wanted` over `live` would change nothing.
pub fn contains(live: &Value, wanted: &Value) -> bool {
    within(Some(live), wanted, false)
}

/// `amounts` is true below a field that holds quantities.
fn within(live: Option<&Value>, wanted: &Value, amounts: bool) -> bool {
    let Some(live) = live else { return is_empty(wanted) };
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => fields_within(live, wanted, amounts),
        (Value::Array(live), Value::Array(wanted)) => items_within(live, wanted, amounts),
        (live, wanted) if amounts => live == wanted || same_amount(live, wanted),
        (live, wanted) => live == wanted || (is_empty(live) && is_empty(wanted)),
    }
}

fn fields_within(live: &Map<String, Value>, wanted: &Map<String, Value>, amounts: bool) -> bool {
    wanted
        .iter()
        .all(|(key, wanted)| within(live.get(key), wanted, amounts || holds_amounts(key)))
}

/// Objects in a list are matched in any order (Kubernetes merges them by key), plain values in theirs.
fn items_within(live: &[Value], wanted: &[Value], amounts: bool) -> bool {
    if live.len() != wanted.len() {
        return false;
    }
    if wanted.iter().all(Value::is_object) {
        return wanted
            .iter()
            .all(|wanted| live.iter().any(|live| within(Some(live), wanted, amounts)));
    }
    live.iter()
        .zip(wanted)
        .all(|(live, wanted)| within(Some(live), wanted, amounts))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

fn holds_amounts(key: &str) -> bool {
    matches!(
        key,
        "requests" | "limits" | "sizeLimit" | "averageValue" | "capacity" | "hard"
    )
}

fn same_amount(one: &Value, other: &Value) -> bool {
    match (amount(one), amount(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-9,
        _ => false,
    }
}

/// A Kubernetes quantity as a number.
fn amount(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text,
        _ => return None,
    };
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return text.parse().ok(),
    };
    digits.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_of_the_api_server_are_no_difference() {
        let live = json!({"spec": {"replicas": 2, "strategy": {"type": "RollingUpdate"}, "ports": [{"port": 80, "protocol": "TCP"}]}});
        assert!(contains(
            &live,
            &json!({"spec": {"replicas": 2, "ports": [{"port": 80}]}})
        ));
    }

    #[test]
    fn a_changed_or_missing_field_is_one() {
        let live = json!({"spec": {"replicas": 2}});
        assert!(!contains(&live, &json!({"spec": {"replicas": 3}})));
        assert!(!contains(&live, &json!({"spec": {"paused": true}})));
    }

    #[test]
    fn what_the_api_server_drops_is_none() {
        let live = json!({"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}], "env": [{"name": "A"}]}});
        let wanted = json!({"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}], "env": [{"name": "A", "value": ""}], "tolerations": [], "paused": false}});
        assert!(contains(&live, &wanted));
    }

    #[test]
    fn an_item_too_many_or_too_few_is_a_difference() {
        let live = json!([{"name": "a"}, {"name": "b"}]);
        assert!(contains(&live, &json!([{"name": "b"}, {"name": "a"}])));
        assert!(!contains(&live, &json!([{"name": "a"}])));
        assert!(!contains(&live, &json!([{"name": "a"}, {"name": "b"}, {"name": "c"}])));
    }

    #[test]
    fn plain_values_keep_their_order() {
        assert!(!contains(&json!(["--a", "--b"]), &json!(["--b", "--a"])));
        assert!(contains(&json!(["--a", "--b"]), &json!(["--a", "--b"])));
    }

    #[test]
    fn quantities_are_compared_as_amounts_and_only_where_they_are_amounts() {
        let live = json!({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}, "data": {"x": "1"}});
        assert!(contains(
            &live,
            &json!({"resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}}})
        ));
        assert!(!contains(&live, &json!({"resources": {"requests": {"cpu": "1001m"}}})));
        assert!(!contains(&live, &json!({"data": {"x": "1000m"}})));
    }
}
