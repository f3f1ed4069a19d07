//! The CustomResourceDefinition as it is installed: the derived one, cleaned of what the API server or kubectl stumbles
//! over, and kept by Helm when the chart goes.

use crate::ShopDeployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

/// What `shop-operator crd` prints and the chart installs.
pub fn crd() -> CustomResourceDefinition {
    let mut value = serde_json::to_value(ShopDeployment::crd()).expect("a definition is plain data");
    clean(&mut value["spec"]);
    let mut crd: CustomResourceDefinition = serde_json::from_value(value).expect("cleaning keeps the layout");
    crd.metadata.annotations = Some([("helm.sh/resource-policy".to_owned(), "keep".to_owned())].into());
    crd
}

/// Without `nullable`, an explicit null is dropped and a rule's `has()` means what it says. Without `uint16` and the like,
/// kubectl does not warn about formats it does not know.
fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // `properties` maps field names, not keywords.
            fields.retain(|key, value| match key.as_str() {
                "nullable" => !value.is_boolean(),
                "default" => !value.is_null(),
                "format" => !value.as_str().is_some_and(|format| format.starts_with("uint")),
                _ => true,
            });
            fields.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
