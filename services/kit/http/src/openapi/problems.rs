//! The problems every operation may answer with, read from its shape: a token, a body, a path, a key. What a
//! handler declares itself stays.

use super::secured;
use axum::http::StatusCode;
use shop_contract::problem::{CONTENT_TYPE, Problem};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, Content, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

const PROBLEM: &str = "Problem";
/// A request that is malformed or has too large headers (the gateway refuses it), a tier that fails, breaks off or does
/// not answer, and a request that takes too long.
const ALWAYS: [u16; 6] = [400, 431, 500, 502, 503, 504];
const WITH_TOKEN: [u16; 2] = [401, 403];
const WITH_BODY: [u16; 3] = [413, 415, 422];
const WITH_PATH: [u16; 1] = [404];
const WITH_KEY: [u16; 2] = [409, 422];

pub(super) fn add_schema(components: &mut Components) {
    let mut named = vec![(PROBLEM.to_owned(), Problem::schema())];
    Problem::schemas(&mut named);
    components.schemas.extend(named);
}

pub(super) fn add_responses(operation: &mut Operation, path: &str) {
    let mut parameters = operation.parameters.iter().flatten();
    let keyed = parameters.any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name.eq_ignore_ascii_case("idempotency-key"),
        RefOr::Ref(_) => false,
    });
    let groups: [(bool, &[u16]); 5] = [
        (true, &ALWAYS),
        (secured(operation), &WITH_TOKEN),
        (operation.request_body.is_some(), &WITH_BODY),
        (path.contains('{'), &WITH_PATH),
        (keyed, &WITH_KEY),
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
