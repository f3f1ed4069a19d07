//! The layer around every route: gives the request an id, ends it at its deadline, turns a panic and every bodiless
//! refusal into a problem, counts it by route template and logs it once. Order matters only inside [`Face::around`].

use crate::ApiError;
use crate::error::problem_response;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use shop_contract::problem::Problem;
use shop_kit_telemetry::Metrics;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::Instrument;
use uuid::Uuid;

/// Taken from the client when it is short and plain, made otherwise; returned with every answer.
pub const REQUEST_ID: &str = "x-request-id";

/// The id of the request being handled.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// How a service faces its clients.
#[derive(Clone)]
pub struct Face {
    pub service: &'static str,
    pub metrics: Metrics,
    /// A request that takes longer is answered with 504.
    pub deadline: Duration,
    /// Bytes; a larger body is answered with 413.
    pub body_limit: usize,
}

impl Face {
    pub fn new(service: &'static str, metrics: Metrics) -> Self {
        Self {
            service,
            metrics,
            deadline: Duration::from_secs(10),
            body_limit: 64 * 1024,
        }
    }

    /// Puts the face on a router; nothing may be added to the router afterwards.
    pub fn around(self, router: Router) -> Router {
        router
            .fallback(|| async { ApiError::not_found("no such path") })
            .layer(DefaultBodyLimit::max(self.body_limit))
            .layer(from_fn_with_state(self, handle))
    }
}

async fn handle(State(face): State<Face>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let matched = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "unmatched".to_owned());
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request_id = id, method, route);

    let work = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(span.clone());
    let response = match tokio::time::timeout(face.deadline, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => ApiError::internal(tier(&face), "a handler panicked").into_response(),
        Err(_late) => late(&face).into_response(),
    };
    let response = finish(response, &id);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    face.metrics.request(method, &route, status, took);
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_millis() as u64, "answered"));
    response
}

fn tier(face: &Face) -> String {
    format!("service/{}", face.service)
}

fn late(face: &Face) -> ApiError {
    let detail = format!("not done after {} s", face.deadline.as_secs());
    let mut error = ApiError::new(StatusCode::GATEWAY_TIMEOUT, "deadline", detail);
    error.tier = Some(tier(face));
    error
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn request_id(headers: &HeaderMap) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=64).contains(&given.len()) && given.bytes().all(plain) {
        given.to_owned()
    } else {
        Uuid::now_v7().to_string()
    }
}

/// Completes a problem with the request's id and makes one where a layer below answered a bare status.
fn finish(mut response: Response, id: &str) -> Response {
    let status = response.status();
    let known = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = known.or_else(|| bare(status)) {
        let body = problem_response(Problem {
            request_id: Some(id.to_owned()),
            ..problem
        });
        let (made, body) = body.into_parts();
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.extend(made.headers);
        response = Response::from_parts(parts, body);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn bare(status: StatusCode) -> Option<Problem> {
    let kind = match status {
        StatusCode::METHOD_NOT_ALLOWED => "method",
        status if status.is_client_error() => "refused",
        status if status.is_server_error() => "internal",
        _ => return None,
    };
    let detail = if status == StatusCode::METHOD_NOT_ALLOWED {
        "see the `allow` header"
    } else {
        ""
    };
    Some(ApiError::new(status, kind, detail).problem())
}
