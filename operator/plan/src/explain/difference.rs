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
        (Value::Array(wanted), Value::Array(found)) if all_named(wanted) && all_named(found) => {
            named(path, wanted, found, fields);
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (at, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                walk(&format!("{path}[{at}]"), wanted, found, fields);
            }
        }
        (wanted, found) if same(wanted, found) => {}
        (Value::String(wanted), Value::String(found)) if found.contains('\n') || document(found).is_some() => {
            match (document(wanted), document(found)) {
                (Some(wanted), Some(found)) => walk(path, &wanted, &found, fields),
                _ => lines(path, wanted, found, fields),
            }
        }
        (wanted, found) => fields.push(Field {
            path: path.into(),
            from: text(found),
            to: text(wanted),
        }),
    }
}

fn all_named(items: &[Value]) -> bool {
    items.iter().all(|item| item["name"].is_string())
}

/// Lists such as containers and environments: by name, whatever their order.
fn named(path: &str, wanted: &[Value], found: &[Value], fields: &mut Vec<Field>) {
    let has = |items: &[Value], name: &Value| items.iter().position(|item| item["name"] == *name);
    for item in wanted {
        let path = format!("{path}[{}]", item["name"].as_str().unwrap_or_default());
        match has(found, &item["name"]) {
            Some(at) => walk(&path, item, &found[at], fields),
            None => fields.push(Field {
                path,
                from: text(&Value::Null),
                to: text(item.get("value").unwrap_or(item)),
            }),
        }
    }
    for item in found.iter().filter(|item| has(wanted, &item["name"]).is_none()) {
        fields.push(Field {
            path: format!("{path}[{}]", item["name"].as_str().unwrap_or_default()),
            from: text(item.get("value").unwrap_or(item)),
            to: text(&Value::Null),
        });
    }
}

/// A whole document in a string, as configuration is.
fn document(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// Configuration in lines: those that are not in the other.
fn lines(path: &str, wanted: &str, found: &str, fields: &mut Vec<Field>) {
    let only = |these: &str, those: &str| -> Vec<Value> {
        let lines = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        lines.map(Value::from).collect()
    };
    let (to, from) = (only(wanted, found), only(found, wanted));
    for at in 0..to.len().max(from.len()).max(1) {
        let line = |lines: &[Value]| text(lines.get(at).unwrap_or(&Value::Null));
        fields.push(Field {
            path: path.into(),
            from: line(&from),
            to: line(&to),
        });
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
