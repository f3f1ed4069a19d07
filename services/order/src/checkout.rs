//! A checkout, step by step: the key's ticket, what is ordered, its prices, its stock, and then everything at once in
//! the customer's shard. RabbitMQ takes no part: an order is accepted while it is down. Two round trips to the database
//! with a key, one without, one more for a cart. What fails before the order is written leaves nothing behind.

use crate::SERVICE;
use crate::lines::{self, Priced};
use crate::router::AppState;
use crate::store::placing::{Placed, Placing, PlacingError, place};
use crate::store::{REQUESTS, cart};
use crate::time;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::{ORDERS, Order, OrderLine, OrderStatus, PlaceOrder};
use shop_contract::event::OrderEvent;
use shop_kit_http::{ApiError, RequestId};
use shop_kit_idempotency::{Begin, Ticket, begin, fingerprint};
use shop_kit_postgres::Shard;
use uuid::Uuid;

pub struct Checkout {
    pub state: AppState,
    pub user: Uuid,
    pub synthetic: bool,
    pub request: RequestId,
    /// Its form was looked at.
    pub body: PlaceOrder,
}

enum Failed {
    /// Nothing was written.
    Clean(ApiError),
    /// The order with this id may have been written or not.
    Unknown(Uuid, ApiError),
}

impl Checkout {
    pub async fn run(self, key: Option<String>) -> Result<Response, ApiError> {
        let shard = self.state.shards.of_user(self.user)?;
        let Some(key) = key else {
            return self.attempt(&shard, None).await.map_err(|failed| match failed {
                Failed::Clean(error) => error,
                Failed::Unknown(_, error) => unknown(error, "look at your orders"),
            });
        };
        let print = fingerprint(ORDERS, &self.body)?;
        let ticket = match begin(&shard.pool, REQUESTS, self.user, &key, &print).await? {
            Begin::Fresh(ticket) => ticket,
            Begin::Replay(answer) => return Ok(answer),
        };
        match self.attempt(&shard, Some(&ticket)).await {
            Ok(answer) => Ok(answer),
            Err(Failed::Clean(error)) => {
                ticket.abandon(&shard.pool).await;
                Err(error)
            }
            Err(Failed::Unknown(order, error)) => self.find_out(&shard, ticket, &key, &print, order, error).await,
        }
    }

    async fn attempt(&self, shard: &Shard, ticket: Option<&Ticket>) -> Result<Response, Failed> {
        let in_cart = match &self.body.lines {
            Some(_) => None,
            None => Some(self.cart(shard).await.map_err(Failed::Clean)?),
        };
        let asked = self.body.lines.as_deref().or(in_cart.as_deref()).unwrap_or_default();
        let ids: Vec<Uuid> = asked.iter().map(|line| line.product_id).collect();
        let products = self.state.prices.of(&ids, &self.request).await.map_err(Failed::Clean)?;
        let priced = lines::priced(asked, &products).map_err(Failed::Clean)?;
        let order = self.order(shard, priced);
        if !self.synthetic {
            let reserved = self.state.stock.reserve(order.id, asked, &self.request).await;
            reserved.map_err(Failed::Clean)?;
        }
        let written = self.write(shard, &order, ticket, in_cart.as_deref()).await;
        if let (Err(Failed::Clean(_)), false) = (&written, self.synthetic) {
            self.state.stock.release(order.id, &self.request);
        }
        written
    }

    async fn cart(&self, shard: &Shard) -> Result<Vec<OrderLine>, ApiError> {
        let lines = cart::find(shard, self.user).await?;
        let errors = lines::problems(&lines, self.synthetic);
        if lines.is_empty() {
            return Err(ApiError::invalid_field("/lines", "is not there and the cart is empty"));
        }
        if errors.is_empty() {
            Ok(lines)
        } else {
            Err(ApiError::invalid(errors))
        }
    }

    fn order(&self, shard: &Shard, priced: Priced) -> Order {
        let id = Uuid::now_v7();
        Order {
            id,
            user_id: self.user,
            status: OrderStatus::Placed,
            total_cents: priced.total_cents,
            currency: priced.currency,
            shard: shard.index,
            lines: priced.lines,
            cancel_reason: None,
            ship_to: self.body.ship_to.clone(),
            created_at: time::of_id(id),
        }
    }

    async fn write(
        &self,
        shard: &Shard,
        order: &Order,
        ticket: Option<&Ticket>,
        cart: Option<&[OrderLine]>,
    ) -> Result<Response, Failed> {
        let internal = |error: serde_json::Error| Failed::Clean(ApiError::internal(SERVICE, error));
        let event = self.event(order);
        let answer = serde_json::to_string(order).map_err(internal)?;
        let location = format!("{ORDERS}/{}", order.id);
        let placing = Placing {
            order,
            synthetic: self.synthetic,
            payment_token: &self.body.payment_token,
            event: serde_json::to_string(&event).map_err(internal)?,
            event_id: event.event_id,
            answer: &answer,
            location: &location,
            ticket,
            cart,
        };
        match place(shard, &placing).await {
            Ok(Placed::Done) => Ok(created(&location, answer)),
            Ok(Placed::TakenOver) => Err(Failed::Clean(shop_kit_idempotency::FinishError::TakenOver.into())),
            Ok(Placed::CartChanged) => Err(Failed::Clean(cart_changed())),
            Err(PlacingError::Nothing(error)) => Err(Failed::Clean(error.into())),
            Err(PlacingError::Unknown(error)) => Err(Failed::Unknown(order.id, error.into())),
        }
    }

    fn event(&self, order: &Order) -> OrderEvent {
        OrderEvent {
            event_id: Uuid::now_v7(),
            order_id: order.id,
            user_id: order.user_id,
            total_cents: order.total_cents,
            currency: order.currency.clone(),
            lines: order.lines.clone(),
            payment_token: Some(self.body.payment_token.clone()),
            cancel_reason: None,
            synthetic: self.synthetic,
            placed_at: order.created_at.clone(),
            at: order.created_at.clone(),
        }
    }

    /// The key tells what became of the order: giving the ticket back waits for a statement that holds it, and fails
    /// when that was committed; after it, a statement still on its way finds no ticket and writes nothing.
    async fn find_out(
        &self,
        shard: &Shard,
        ticket: Ticket,
        key: &str,
        print: &[u8],
        order: Uuid,
        error: ApiError,
    ) -> Result<Response, ApiError> {
        ticket.abandon(&shard.pool).await;
        match begin(&shard.pool, REQUESTS, self.user, key, print).await {
            Ok(Begin::Replay(answer)) => Ok(answer),
            Ok(Begin::Fresh(ticket)) => {
                ticket.abandon(&shard.pool).await;
                self.state.stock.release(order, &self.request);
                Err(error)
            }
            Err(_) => Err(unknown(error, "send it again with the same key")),
        }
    }
}

fn unknown(mut error: ApiError, way_out: &str) -> ApiError {
    error.detail = format!("{}; whether the order was placed is not known: {way_out}", error.detail);
    error
}

fn cart_changed() -> ApiError {
    let detail = "the cart was changed or ordered meanwhile: look at it and order again";
    ApiError::new(StatusCode::CONFLICT, "cart-changed", detail)
}

fn created(location: &str, answer: String) -> Response {
    let mut response = (StatusCode::CREATED, answer).into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
