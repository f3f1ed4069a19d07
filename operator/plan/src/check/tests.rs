//! What a faulty plan is refused for.

use super::check;
use crate::fixtures::{empty_world, shop};
use crate::object::{Body, Plan};
use crate::observed::{Observed, Seen};
use crate::plan;
use serde_json::{Value, json};

fn findings(plan: &Plan, seen: &Observed) -> Vec<String> {
    let found = check(plan, seen).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

fn body<'a>(plan: &'a mut Plan, kind: &str, name: &str) -> &'a mut Value {
    let mut bodies = plan.objects.iter_mut().filter_map(|object| match &mut object.body {
        Body::Applied(body) => Some(body),
        Body::Generated { .. } => None,
    });
    bodies
        .find(|body| body["kind"] == kind && body["metadata"]["name"] == name)
        .expect("it is planned")
}

#[test]
fn a_field_the_api_server_never_changes_is_named_with_both_values() {
    let mut planned = plan(&shop(), &empty_world()).unwrap();
    let set = body(&mut planned, "StatefulSet", "demo-orders-0");
    let live = serde_json::from_value(set.clone()).expect("a StatefulSet");
    let seen = Observed {
        stateful_sets: Seen::Known(vec![live]),
        ..empty_world()
    };
    assert_eq!(findings(&planned, &seen), [""; 0]);
    let set = body(&mut planned, "StatefulSet", "demo-orders-0");
    set["spec"]["serviceName"] = json!("elsewhere");
    set["spec"]["podManagementPolicy"] = json!("OrderedReady");
    set["spec"]["selector"]["matchLabels"]["a"] = json!("b");
    let found = findings(&planned, &seen);
    let of = |text: &str| found.iter().any(|finding| finding.contains(text));
    assert!(
        of(r#"spec.serviceName cannot be changed: "demo-orders-0-pods" → "elsewhere""#),
        "{found:#?}"
    );
    assert!(of(r#""Parallel" → "OrderedReady""#), "{found:#?}");
    assert!(of("spec.selector cannot be changed"), "{found:#?}");
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn a_key_of_a_generated_secret_must_be_generated() {
    let mut planned = plan(&shop(), &empty_world()).unwrap();
    let set = body(&mut planned, "StatefulSet", "demo-orders-0");
    let env = &mut set["spec"]["template"]["spec"]["containers"][0]["env"];
    let read = |secret: &str| json!({"name": "X", "valueFrom": {"secretKeyRef": {"name": secret, "key": "forgotten"}}});
    // Another Secret is its owner's business.
    env.as_array_mut()
        .expect("a list")
        .extend([read("demo-secrets"), read("a-users-own")]);
    assert_eq!(
        findings(&planned, &empty_world()),
        ["StatefulSet demo-orders-0: reads key forgotten of Secret demo-secrets, which nobody generates"]
    );
}
