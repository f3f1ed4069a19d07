//! The committed definitions are what the code says. `UPDATE=1 cargo test -p shop-api` writes them anew.

use std::path::PathBuf;

const FILES: [&str; 2] = [
    "crds/shopdeployments.yaml",
    "charts/shop-operator-crds/templates/shopdeployments.yaml",
];

#[test]
fn committed_definitions_match_the_code() {
    let wanted = serde_saphyr::to_string(&shop_api::crd()).unwrap();
    assert!(!wanted.contains("{{"), "the chart would read this as a template");
    for file in FILES {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == wanted,
            "{file} differs from operator/api: run UPDATE=1 cargo test -p shop-api"
        );
    }
}

/// A contradiction must have a way back: what was written later than the shop was made can be taken out again.
#[test]
fn a_fixed_field_may_be_taken_out_and_not_be_changed() {
    let crd = serde_json::to_string(&shop_api::crd()).unwrap();
    for field in ["shards", "nodes", "size", "className"] {
        let rule = format!("!has(oldSelf.{field}) || !has(self.{field}) || self.{field} == oldSelf.{field}");
        assert!(crd.contains(&rule), "{field}");
    }
}
