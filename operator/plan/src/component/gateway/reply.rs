//! The answers Envoy gives itself, as problem details like every service's: an unknown path, a tier that is down.

use serde_json::{Value, json};
use shop_contract::problem::CONTENT_TYPE;

/// Status, title, and whether an upstream tier is at fault.
const TITLES: &[(u16, &str, bool)] = &[
    (404, "Not found", false),
    (413, "Content too large", false),
    (429, "Too many requests", false),
    (502, "Bad gateway", true),
    (503, "Service unavailable", true),
    (504, "Gateway timeout", true),
];

pub fn local_replies() -> Value {
    let titled = TITLES
        .iter()
        .map(|(status, title, upstream)| mapper("EQ", *status, title, *upstream));
    // The first that fits is taken. Answers that are no error, such as the health's, stay as they are.
    let other = mapper("GE", 400, "Request refused", false);
    json!({"mappers": titled.chain([other]).collect::<Vec<Value>>()})
}

fn mapper(comparison: &str, status: u16, title: &str, upstream: bool) -> Value {
    let value = json!({"default_value": status, "runtime_key": format!("shop.reply.{status}")});
    json!({
        "filter": {"status_code_filter": {"comparison": {"op": comparison, "value": value}}},
        "body_format_override": body(title, upstream),
    })
}

fn body(title: &str, upstream: bool) -> Value {
    let mut problem = json!({
        "type": "about:blank",
        "title": title,
        "status": "%RESPONSE_CODE%",
        "detail": "gateway: %RESPONSE_CODE_DETAILS%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    });
    if upstream {
        problem["tier"] = json!("%UPSTREAM_CLUSTER%");
    }
    json!({"json_format": problem, "content_type": CONTENT_TYPE})
}
