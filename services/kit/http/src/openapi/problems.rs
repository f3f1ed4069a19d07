//! The problems every operation may answer with, read from its shape: a token, a body, a query, a path, a key. What a
//! handler declares itself stays.

use super::secured;
use axum::http::StatusCode;
use shop_contract::problem::{CONTENT_TYPE, Problem};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

const PROBLEM: &str = "Problem";
/// A tier that fails or does not answer, and a request that takes too long.
const ALWAYS: [u16; 3] = [500, 503, 504];
const WITH_TOKEN: [u16; 2] = [401, 403];
const WITH_BODY: [u16; 4] = [400, 413, 415, 422];
const WITH_QUERY: [u16; 1] = [400];
const WITH_PATH: [u16; 1] = [404];
const WITH_KEY: [u16; 3] = [400, 409, 422];

pub(super) fn add_schema(components: &mut Components) {
    let mut named = vec![(PROBLEM.to_owned(), Problem::schema())];
    Problem::schemas(&mut named);
    components.schemas.extend(named);
}

pub(super) fn add_responses(operation: &mut Operation, path: &str) {
    let parameters: Vec<(String, bool)> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some((
                parameter.name.to_lowercase(),
                matches!(parameter.parameter_in, ParameterIn::Query),
            )),
            RefOr::Ref(_) => None,
        })
        .collect();
    let groups: [(bool, &[u16]); 6] = [
        (true, &ALWAYS),
        (secured(operation), &WITH_TOKEN),
        (operation.request_body.is_some(), &WITH_BODY),
        (parameters.iter().any(|(_, query)| *query), &WITH_QUERY),
        (path.contains('{'), &WITH_PATH),
        (parameters.iter().any(|(name, _)| name == "idempotency-key"), &WITH_KEY),
    ];
    let statuses = groups
        .iter()
        .filter(|(holds, _)| *holds)
        .flat_map(|(_, statuses)| *statuses);
    for status in statuses {
        let known = operation.responses.responses.entry(status.to_string());
        known.or_insert_with(|| RefOr::T(problem(*status)));
    }
    for (status, response) in &mut operation.responses.responses {
        let error = status.starts_with('4') || status.starts_with('5');
        if let (true, RefOr::T(response)) = (error, response) {
            describe(response);
        }
    }
}

fn problem(status: u16) -> Response {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    Response::new(reason.unwrap_or("Problem"))
}

/// A handler declares a status and why; the body is the same everywhere.
fn describe(response: &mut Response) {
    if response.content.is_empty() {
        let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
        response.content.insert(CONTENT_TYPE.to_owned(), RefOr::T(content));
    }
}
