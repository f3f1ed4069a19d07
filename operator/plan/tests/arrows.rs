//! Which crate may know which: `contract ← api ← plan ← controller → drivers → contract`. Arrows of the workspace's own
//! crates and a few that would make `plan` impure.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What a crate may depend on, besides crates of others.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("shop-contract", &[]),
    ("shop-api", &["shop-contract"]),
    ("shop-plan", &["shop-api", "shop-contract"]),
    ("shop-drivers", &["shop-contract"]),
    (
        "shop-controller",
        &["shop-api", "shop-contract", "shop-drivers", "shop-plan"],
    ),
];

/// What would let `plan` do something.
const IMPURE: [&str; 8] = ["tokio", "sqlx", "redis", "lapin", "reqwest", "rand", "tracing", "axum"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().cloned().unwrap_or_default();
        all.iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(name)
            .collect()
    };
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (name(package), normal(package)))
        .collect()
}

#[test]
fn crates_know_only_what_the_architecture_allows() {
    let all = dependencies();
    for (name, allowed) in ALLOWED {
        let Some(found) = all.get(name) else { continue };
        for dependency in found.iter().filter(|dependency| dependency.starts_with("shop-")) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn services_know_the_contract_and_the_kit_only() {
    let all = dependencies();
    for name in [
        "shop-user",
        "shop-product",
        "shop-order",
        "shop-inventory",
        "shop-payment",
        "shop-recommendation",
        "shop-books",
    ] {
        for dependency in all
            .get(name)
            .into_iter()
            .flatten()
            .filter(|dependency| dependency.starts_with("shop-"))
        {
            let fine = dependency == "shop-contract" || dependency.starts_with("shop-kit-");
            assert!(fine, "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_plan_stays_pure() {
    for dependency in dependencies().get("shop-plan").into_iter().flatten() {
        assert!(
            !IMPURE.contains(&dependency.as_str()),
            "shop-plan must not depend on {dependency}"
        );
    }
}
