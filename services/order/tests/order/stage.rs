//! Plays the product service and inventory at their HTTP edge, as the test wants them to act.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use shop_contract::api::{OrderLine, PRODUCTS, RESERVATIONS, ReserveStock};
use shop_contract::probe::SYNTHETIC_PRODUCT;
use shop_contract::problem::FieldError;
use shop_kit_http::{ApiError, Face};
use shop_kit_telemetry::Metrics;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

/// 250 cents; 1,000 cents; nowhere; 100 US cents; a price that cannot be multiplied.
pub const KETTLE: Uuid = Uuid::from_u128(0xa);
pub const LAMP: Uuid = Uuid::from_u128(0xb);
pub const UNKNOWN: Uuid = Uuid::from_u128(0xc);
pub const FOREIGN: Uuid = Uuid::from_u128(0xd);
pub const DEAR: Uuid = Uuid::from_u128(0xe);

/// How a service acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Open,
    /// Its database is down.
    Broken,
    /// Does what it is asked for once it is in another mood, even if nobody waits any more.
    Late,
    /// Answers something that is not JSON.
    Raving,
}

#[derive(Default)]
pub struct Acts {
    pub catalogue: Mood,
    pub prices: HashMap<Uuid, (i64, &'static str)>,
    /// A product there is none of.
    pub sold_out: Option<Uuid>,
    /// Reservations as they are now.
    pub held: BTreeMap<Uuid, Vec<OrderLine>>,
    /// Orders of all requests to hold stock, in the order they came.
    pub asked: Vec<Uuid>,
    pub released: Vec<Uuid>,
    pub priced: usize,
}

#[derive(Clone)]
pub struct Stage {
    acts: Arc<Mutex<Acts>>,
    inventory: watch::Sender<Mood>,
    pub url: String,
}

impl Stage {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let prices = [
            (KETTLE, (250, "EUR")),
            (LAMP, (1_000, "EUR")),
            (FOREIGN, (100, "USD")),
            (DEAR, (i64::MAX / 2, "EUR")),
            (SYNTHETIC_PRODUCT, (100, "EUR")),
        ];
        let acts = Acts {
            prices: prices.into(),
            ..Acts::default()
        };
        let this = Self {
            acts: Arc::new(Mutex::new(acts)),
            inventory: watch::Sender::new(Mood::Open),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let routes = Router::new()
            .route(PRODUCTS, get(products))
            .route(RESERVATIONS, post(reserve))
            .route(&format!("{RESERVATIONS}/{{id}}"), delete(release))
            .with_state(this.clone());
        let app = Face::new("stage", Metrics::new("stage").unwrap()).around(routes);
        tokio::spawn(async move { axum::serve(listener, app).await });
        this
    }

    pub fn acts(&self) -> MutexGuard<'_, Acts> {
        self.acts.lock().unwrap()
    }

    pub fn inventory(&self, mood: Mood) {
        self.inventory.send_replace(mood);
    }
}

async fn products(State(stage): State<Stage>, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut acts = stage.acts();
    acts.priced += 1;
    match acts.catalogue {
        Mood::Open => {}
        Mood::Raving => return "lorem".into_response(),
        Mood::Broken | Mood::Late => {
            return ApiError::unavailable("postgres/catalog", "does not answer").into_response();
        }
    }
    let ids = query["ids"].split(',').map(|id| id.parse::<Uuid>().unwrap());
    let item = |id: Uuid| {
        let (price, currency) = acts.prices.get(&id)?;
        Some(json!({"id": id, "name": "x", "price_cents": price, "currency": currency, "version": 7}))
    };
    let items: Vec<Value> = ids.filter_map(item).collect();
    Json(json!({ "items": items })).into_response()
}

async fn reserve(State(stage): State<Stage>, Json(asked): Json<ReserveStock>) -> Response {
    stage.acts().asked.push(asked.order_id);
    let mood = *stage.inventory.borrow();
    match mood {
        Mood::Broken => ApiError::unavailable("postgres/catalog", "does not answer").into_response(),
        Mood::Raving => (StatusCode::CREATED, "lorem").into_response(),
        Mood::Open => hold(&stage, asked),
        // In a task of its own: whoever asked may be gone before it is done.
        Mood::Late => {
            let mut moods = stage.inventory.subscribe();
            let late = async move {
                moods.wait_for(|mood| *mood != Mood::Late).await.unwrap();
                hold(&stage, asked)
            };
            tokio::spawn(late).await.unwrap()
        }
    }
}

fn hold(stage: &Stage, asked: ReserveStock) -> Response {
    let mut acts = stage.acts();
    let short = asked
        .lines
        .iter()
        .position(|line| Some(line.product_id) == acts.sold_out);
    if let Some(index) = short {
        let mut error = ApiError::new(StatusCode::CONFLICT, "out-of-stock", "");
        error.errors = vec![FieldError {
            pointer: format!("/lines/{index}/quantity"),
            detail: "0 left".to_owned(),
        }];
        return error.into_response();
    }
    let body = json!({"order_id": asked.order_id, "expires_at": "2026-11-24T12:00:00Z"});
    acts.held.insert(asked.order_id, asked.lines);
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn release(State(stage): State<Stage>, Path(id): Path<Uuid>) -> StatusCode {
    let mut acts = stage.acts();
    acts.held.remove(&id);
    acts.released.push(id);
    StatusCode::NO_CONTENT
}

/// The same stage behind a door that hangs up on its first callers after it heard what they want. Returns its address
/// and what it heard.
pub async fn behind_a_door(stage: &Stage, hang_ups: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let (target, notes) = (stage.url.trim_start_matches("http://").to_owned(), Arc::clone(&heard));
    tokio::spawn(async move {
        for caller in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            if caller < hang_ups {
                let mut buffer = vec![0; 4096];
                let read = client.read(&mut buffer).await.unwrap();
                notes
                    .lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&buffer[..read]).into_owned());
                continue;
            }
            let mut server = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (url, heard)
}
