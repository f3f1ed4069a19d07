//! Where an object as wanted differs from the object as it is: only fields the wanted one writes.

use crate::names;
use crate::quantity;
use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// `spec.template.spec.containers[postgres].image`.
    pub path: String,
    pub from: String,
    pub to: String,
}

pub fn differences(wanted: &Value, found: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    for part in ["metadata", "spec", "data", "rules", "subjects", "roleRef", "stringData"] {
        walk(part, &wanted[part], &found[part], &mut fields);
    }
    fields.retain(|field| !field.path.starts_with("metadata.ownerReferences"));
    fields
}

fn walk(path: &str, wanted: &Value, found: &Value, fields: &mut Vec<Field>) {
    match (wanted, found) {
        (Value::Null, _) => {}
        (Value::Object(wanted), _) => {
            wanted
                .iter()
                .for_each(|(key, value)| walk(&format!("{path}.{key}"), value, &found[key], fields));
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (at, item) in wanted.iter().enumerate() {
                let name = item["name"].as_str();
                let other = match name {
                    Some(name) => found.iter().find(|other| other["name"] == name).unwrap_or(&Value::Null),
                    None => &found[at],
                };
                walk(
                    &format!("{path}[{}]", name.map_or(at.to_string(), str::to_owned)),
                    item,
                    other,
                    fields,
                );
            }
        }
        (wanted, found) if same(wanted, found) => {}
        (wanted, found) => fields.push(Field {
            path: path.into(),
            from: text(found),
            to: text(wanted),
        }),
    }
}

/// Kubernetes prints quantities its own way: `0.5` comes back as `500m`.
fn same(wanted: &Value, found: &Value) -> bool {
    let amount = |value: &Value| {
        let text = value.as_str()?;
        quantity::bytes(text)
            .map(|bytes| bytes.0.saturating_mul(1000))
            .or_else(|_| quantity::millicores(text))
            .ok()
    };
    wanted == found
        || amount(wanted).is_some_and(|wanted| Some(wanted) == amount(found))
        || (is_empty(wanted) && found.is_null())
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value == "" || value == false || value == 0
}

/// One line; a long value is cut, since the change is told and not the document.
fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line: String = text.lines().next().unwrap_or_default().chars().take(80).collect();
    if line.len() < text.len() {
        format!("{line}…")
    } else {
        line
    }
}

impl Field {
    /// The path as people say it.
    pub fn label(&self) -> String {
        let path = self.path.strip_prefix("spec.template.").unwrap_or(&self.path);
        let label = path.strip_prefix("spec.").unwrap_or(path).to_owned();
        if label.ends_with(names::TEMPLATE_ANNOTATION) {
            "pod template: something taken away".into()
        } else {
            label
        }
    }
}
