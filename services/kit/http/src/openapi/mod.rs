//! A service's description of itself, OpenAPI 3.1. In: what `utoipa` collected from the handlers. Out: the same with
//! the title, the bearer scheme and, for every operation, the problems that the face and the extractors answer with,
//! so that a handler declares only its own. It is served, and a test compares it with the committed copy.

mod key;
mod problems;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, PathItem};

/// Name of the scheme in `security(("bearer" = []))`.
const BEARER: &str = "bearer";

/// A finished description. Cloning shares it.
#[derive(Clone)]
pub struct Document {
    json: Arc<str>,
    operations: Arc<[Described]>,
}

/// One operation of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub method: &'static str,
    pub path: String,
    pub id: Option<String>,
    /// Whether it asks for a token.
    pub secured: bool,
}

/// Completes the description of the service of this name.
pub fn document(service: &str, mut api: OpenApi) -> Document {
    api.info = Info::new(format!("shop: {service}"), "1".to_owned());
    let components = api.components.get_or_insert_with(Components::new);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    problems::add_schema(components);
    let mut operations = Vec::new();
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in methods(item) {
            key::describe(operation);
            problems::add_responses(operation, path);
            operations.push(Described {
                method,
                path: path.clone(),
                id: operation.operation_id.clone(),
                secured: secured(operation),
            });
        }
    }
    let json = serde_json::to_string_pretty(&api).expect("maps with text keys become JSON");
    Document {
        json: format!("{json}\n").into(),
        operations: operations.into(),
    }
}

impl Document {
    pub fn json(&self) -> &str {
        &self.json
    }

    pub fn operations(&self) -> &[Described] {
        &self.operations
    }

    /// Serves it at `<prefix>/openapi.json`; `prefix` is the first route of the service.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self, prefix: &str) -> Router<S> {
        let json = self.json.clone();
        let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], json.to_string()) };
        Router::new().route(&format!("{prefix}/openapi.json"), get(answer))
    }

    /// For tests: whether the committed copy says the same. With `UPDATE=1` it is written instead.
    pub fn compare(&self, path: &Path) -> Result<(), String> {
        let mut ids = HashSet::new();
        for operation in self.operations.iter() {
            if !operation.id.as_ref().is_some_and(|id| ids.insert(id)) {
                return Err(format!("{operation:?} needs an operation_id of its own"));
            }
        }
        if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
            return std::fs::write(path, &*self.json).map_err(|error| format!("{}: {error}", path.display()));
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if committed == *self.json {
            return Ok(());
        }
        let differs = committed
            .lines()
            .zip(self.json.lines())
            .position(|(left, right)| left != right);
        let line = differs.unwrap_or_else(|| committed.lines().count()) + 1;
        Err(format!(
            "{} differs from the code from line {line}: run the test with UPDATE=1",
            path.display()
        ))
    }
}

fn methods(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("DELETE", &mut item.delete),
        ("PATCH", &mut item.patch),
    ];
    methods
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn secured(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty())
}
