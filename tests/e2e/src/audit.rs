//! The audit log of the embedded cluster's API server: who asked what of it, and when by its own clock. Only edits of shops
//! and the operator's writes are in it, see the policy in `dev/`.

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};

const OPERATOR: &str = "system:serviceaccount:shop-system:shop-operator";

/// Beside the kubeconfig of `./shop env`; `None` for any other cluster.
pub fn log() -> Option<PathBuf> {
    let kubeconfig = std::env::var_os("KUBECONFIG")?;
    let log = Path::new(&kubeconfig).parent()?.join("logs/audit.log");
    log.is_file().then_some(log)
}

/// Milliseconds from the API server's answer to the last edit of a shop until the operator's first write after it arrived.
/// Below zero when the write came before the answer was out.
pub fn edit_to_first_write(log: &Path, shop: &str) -> Result<f64> {
    let text = std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    // The last line may still be being written.
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    between(&events, shop)
}

fn between(events: &[Value], shop: &str) -> Result<f64> {
    let by_operator = |event: &&Value| event["user"]["username"] == OPERATOR;
    let of_shop = |event: &&Value| {
        let object = &event["objectRef"];
        object["resource"] == "shopdeployments" && object["name"] == shop && object["subresource"].is_null()
    };
    let edit = events.iter().rfind(|event| of_shop(event) && !by_operator(event));
    let edit = edit.with_context(|| format!("the audit log holds no edit of {shop}"))?;
    let sent = time(edit, "requestReceivedTimestamp")?;
    let writes: Result<Vec<Timestamp>> = events
        .iter()
        .filter(by_operator)
        .map(|event| time(event, "requestReceivedTimestamp"))
        .collect();
    let first = writes?.into_iter().filter(|write| *write > sent).min();
    let first = first.context("the operator has written nothing since")?;
    Ok(first.duration_since(time(edit, "stageTimestamp")?).as_secs_f64() * 1000.0)
}

fn time(event: &Value, field: &str) -> Result<Timestamp> {
    let text = event[field]
        .as_str()
        .with_context(|| format!("an audit event without {field}"))?;
    Ok(text.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(user: &str, resource: &str, name: &str, received: &str, answered: &str) -> Value {
        json!({
            "user": {"username": user}, "objectRef": {"resource": resource, "name": name},
            "requestReceivedTimestamp": format!("2026-01-01T00:00:{received}Z"),
            "stageTimestamp": format!("2026-01-01T00:00:{answered}Z"),
        })
    }

    #[test]
    fn the_first_write_after_the_last_edit_counts() {
        let mut events = vec![
            event("me", "shopdeployments", "demo", "01.000000", "01.010000"),
            event(OPERATOR, "services", "demo-gateway", "01.020000", "01.030000"),
        ];
        assert_eq!(between(&events, "demo").unwrap(), 10.0);
        events.push(event("me", "shopdeployments", "demo", "02.000000", "02.010000"));
        events.push(event("me", "shopdeployments", "other", "02.100000", "02.110000"));
        assert!(between(&events, "demo").is_err());
        // In the order of their answers.
        events.push(event(OPERATOR, "configmaps", "demo", "02.014000", "02.015000"));
        events.push(event(OPERATOR, "services", "demo-gateway", "02.013500", "02.030000"));
        assert_eq!(between(&events, "demo").unwrap(), 3.5);
        assert!(between(&events, "none").is_err());
    }
}
