//! Every way a request can fail ends in a problem body that carries the request's id.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use shop_contract::problem::{CONTENT_TYPE, Problem};
use shop_kit_http::{ApiError, Drain, Face, Health, Json, Path, Query, Synthetic, SyntheticKey, admin_router, serve};
use shop_kit_telemetry::Metrics;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Basket {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Line {
    quantity: u32,
    colour: Option<Colour>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
enum Colour {
    Red,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Limit {
    limit: u8,
}

#[derive(Clone, FromRef)]
struct State {
    key: SyntheticKey,
}

fn app(metrics: Metrics, deadline: Duration) -> Router {
    let routes = Router::new()
        .route("/baskets", post(|_: Json<Basket>| async { "ok" }))
        .route(
            "/baskets/{id}",
            get(|Path(id): Path<u32>| async move { id.to_string() }),
        )
        .route("/list", get(|_: Query<Limit>| async { "ok" }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("on purpose")
                }
            }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/lost",
            get(|| async { Err::<(), _>(ApiError::unavailable("postgres/orders/1", "does not answer")) }),
        )
        .route(
            "/marked",
            get(|Synthetic(marked): Synthetic| async move { marked.to_string() }),
        )
        .with_state(State {
            key: SyntheticKey::new("right"),
        });
    let mut face = Face::new("toy", metrics);
    face.body_limit = 1000;
    face.deadline = deadline;
    face.around(routes)
}

async fn send(request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, String) {
    let deadline = if request.uri() == "/never" {
        Duration::from_millis(50)
    } else {
        Duration::from_secs(60)
    };
    let response = app(Metrics::new("toy").unwrap(), deadline)
        .oneshot(request)
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn request(method: &str, path: &str, kind: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "abc-1");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Method, path, content type, body; status and pointer of the answer.
type Case<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, u16, &'a str);

#[tokio::test]
async fn every_failure_is_a_problem() {
    let json = Some("application/json");
    let large = format!("{{\"lines\":[]{}}}", " ".repeat(2000));
    let table: &[Case] = &[
        ("GET", "/nowhere", None, "", 404, ""),
        ("GET", "/baskets/seven", None, "", 404, ""),
        ("DELETE", "/baskets", None, "", 405, ""),
        ("POST", "/baskets", None, "{}", 415, ""),
        ("POST", "/baskets", Some("text/plain"), "{}", 415, ""),
        ("POST", "/baskets", json, &large, 413, ""),
        ("POST", "/baskets", json, "", 400, ""),
        ("POST", "/baskets", json, "{", 400, ""),
        ("POST", "/baskets", json, r#"{"lines":[]} x"#, 400, ""),
        ("POST", "/baskets", json, "[]", 422, ""),
        ("POST", "/baskets", json, "{}", 422, ""),
        ("POST", "/baskets", json, r#"{"lines":7}"#, 422, "/lines"),
        (
            "POST",
            "/baskets",
            json,
            r#"{"lines":[{"quantity":1},{"quantity":"2"}]}"#,
            422,
            "/lines/1/quantity",
        ),
        (
            "POST",
            "/baskets",
            json,
            r#"{"lines":[{"quantity":-1}]}"#,
            422,
            "/lines/0/quantity",
        ),
        (
            "POST",
            "/baskets",
            json,
            r#"{"lines":[{"quantity":1,"colour":7}]}"#,
            422,
            "/lines/0/colour",
        ),
        (
            "POST",
            "/baskets",
            json,
            r#"{"lines":[],"coupon/x":1}"#,
            422,
            "/coupon~1x",
        ),
        ("GET", "/list?limit=many", None, "", 400, ""),
        ("GET", "/panic", None, "", 500, ""),
        ("GET", "/never", None, "", 504, ""),
        ("GET", "/lost", None, "", 503, ""),
    ];
    for (method, path, kind, body, status, pointer) in table {
        let (got, headers, text) = send(request(method, path, *kind, body)).await;
        let case = format!("{method} {path} {body}: {got} {text}");
        assert_eq!(got.as_u16(), *status, "{case}");
        assert_eq!(headers["content-type"], CONTENT_TYPE, "{case}");
        assert_eq!(headers["x-request-id"], "abc-1", "{case}");
        let problem: Problem = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (problem.status, problem.request_id.as_deref()),
            (*status, Some("abc-1")),
            "{case}"
        );
        let pointers: Vec<&str> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        if *status == 422 {
            assert_eq!(pointers, [*pointer], "{case}");
        }
        let tier = match *path {
            "/lost" => Some("postgres/orders/1"),
            "/panic" | "/never" => Some("service/toy"),
            _ => None,
        };
        assert_eq!(problem.tier.as_deref(), tier, "{case}");
    }
}

#[tokio::test]
async fn a_wrong_value_is_not_told_back() {
    for body in [
        r#"{"lines":"4111111111111111"}"#,
        r#"{"lines":4111111111111111}"#,
        r#"{"lines":[{"quantity":"4111111111111111"}]}"#,
    ] {
        let (status, _, text) = send(request("POST", "/baskets", Some("application/json"), body)).await;
        assert_eq!(status, 422);
        assert!(text.contains("must be ") && !text.contains("4111"), "{text}");
    }
}

#[tokio::test]
async fn good_requests_pass_and_the_length_fits() {
    let json = Some("application/json; charset=utf-8");
    let (status, headers, text) = send(request("POST", "/baskets", json, r#"{"lines":[{"quantity":1}]}"#)).await;
    assert_eq!((status.as_u16(), text.as_str()), (200, "ok"));
    assert_eq!(headers["x-request-id"], "abc-1");
    let (_, headers, text) = send(request("GET", "/nowhere", None, "")).await;
    if let Some(length) = headers.get("content-length") {
        assert_eq!(length.to_str().unwrap(), text.len().to_string());
    }
}

#[tokio::test]
async fn a_strange_request_id_is_replaced() {
    let long = "a".repeat(65);
    for id in ["", "a b", "a\"b", long.as_str()] {
        let request = Request::builder()
            .uri("/nowhere")
            .header("x-request-id", id)
            .body(Body::empty())
            .unwrap();
        let (_, headers, _) = send(request).await;
        let given = headers["x-request-id"].to_str().unwrap();
        assert_eq!(given.len(), 36, "{id:?} became {given}");
    }
}

#[tokio::test]
async fn the_synthetic_header_is_absent_right_or_refused() {
    for (value, status, body) in [
        (None, 200, "false"),
        (Some("right"), 200, "true"),
        (Some("wrong"), 403, ""),
        (Some(""), 403, ""),
    ] {
        let mut request = Request::builder().uri("/marked");
        if let Some(value) = value {
            request = request.header("x-shop-synthetic", value);
        }
        let (got, _, text) = send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.as_u16(), status, "{value:?}");
        assert!(body.is_empty() || text == body, "{value:?}: {text}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_template() {
    let metrics = Metrics::new("toy").unwrap();
    let app = app(metrics.clone(), Duration::from_secs(60));
    for path in ["/baskets/1", "/baskets/2", "/nowhere/1", "/nowhere/2"] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    let text = metrics.text();
    let line = |route: &str, status| {
        format!("shop_http_requests_total{{method=\"GET\",route=\"{route}\",status=\"{status}\",service=\"toy\"}} 2")
    };
    assert!(text.contains(&line("/baskets/{id}", 200)), "{text}");
    assert!(text.contains(&line("unmatched", 404)), "{text}");
}

#[tokio::test]
async fn draining_says_not_ready_and_finishes_what_is_under_way() {
    let (health, stop) = (Health::default(), CancellationToken::new());
    let (entered, mut inside) = tokio::sync::mpsc::channel::<()>(1);
    let release = CancellationToken::new();
    let wait = release.clone();
    let slow = move || {
        let (entered, wait) = (entered.clone(), wait.clone());
        async move {
            entered.send(()).await.unwrap();
            wait.cancelled().await;
            "finished"
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drain = Drain {
        notice: Duration::from_millis(10),
        limit: Duration::from_secs(60),
    };
    let router = Router::new().route("/slow", get(slow));
    let server = tokio::spawn(serve(listener, router, health.clone(), stop.clone(), drain));
    let client = tokio::spawn(fetch(address, "/slow"));
    tokio::time::timeout(Duration::from_secs(60), inside.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(health.ready());

    stop.cancel();
    let not_ready = async {
        while health.ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), not_ready).await.unwrap();
    let admin = admin_router(health, Metrics::new("toy").unwrap());
    let ready = Request::builder().uri("/readyz").body(Body::empty()).unwrap();
    assert_eq!(admin.clone().oneshot(ready).await.unwrap().status().as_u16(), 503);
    let live = Request::builder().uri("/livez").body(Body::empty()).unwrap();
    assert_eq!(admin.oneshot(live).await.unwrap().status().as_u16(), 200);

    release.cancel();
    let answer = tokio::time::timeout(Duration::from_secs(60), client)
        .await
        .unwrap()
        .unwrap();
    assert!(answer.ends_with("finished"), "{answer}");
    tokio::time::timeout(Duration::from_secs(60), server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

async fn fetch(address: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
