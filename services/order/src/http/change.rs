//! What people do with an order: cancel, ship, deliver. The move, its history, its event and the kept answer are one
//! transaction; the row's lock decides between a person and an event that come at the same time.

use crate::SERVICE;
use crate::http::read::{SUPPORT, no_order};
use crate::router::AppState;
use crate::state::{Next, Step, next};
use crate::store::change::{Change, lock, write};
use crate::store::row::Stored;
use crate::store::{REQUESTS, order};
use crate::time;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::order::OrderActor;
use shop_contract::api::{Order, Role};
use shop_kit_http::{ApiError, Path, to_the_end};
use shop_kit_idempotency::{Begin, IdempotencyKey, Ticket, begin, fingerprint};
use shop_kit_postgres::Shard;
use shop_kit_token::Caller;
use uuid::Uuid;

/// Who sends goods on their way.
pub const SENDERS: &[Role] = &[Role::Merchant, Role::Support, Role::Admin];

/// Cancel an order, yours or (for support) anybody's, until it is shipped. One that is cancelled already stays so.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    operation_id = "cancelOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 255)),
    responses((status = 200, body = Order), (status = 409, description = "It is shipped, or the key is in use")),
)]
pub async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, ApiError> {
    let (owner, step, by) = if caller.require(SUPPORT).is_ok() {
        (None, Step::CancelBySupport, OrderActor::Support)
    } else {
        (Some(caller.user), Step::CancelByCustomer, OrderActor::Customer)
    };
    let command = Command {
        id,
        owner,
        step,
        by,
        actor: caller.user,
    };
    to_the_end(command.run(state, key)).await
}

/// Say that an order is on its way.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/ship",
    operation_id = "shipOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 255)),
    responses((status = 200, body = Order), (status = 409, description = "It is not confirmed, or the key is in use")),
)]
pub async fn ship(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, ApiError> {
    to_the_end(sender(caller, id, Step::Ship)?.run(state, key)).await
}

/// Say that an order has arrived.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/deliver",
    operation_id = "deliverOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, max_length = 255)),
    responses((status = 200, body = Order), (status = 409, description = "It is not shipped, or the key is in use")),
)]
pub async fn deliver(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, ApiError> {
    to_the_end(sender(caller, id, Step::Deliver)?.run(state, key)).await
}

fn sender(caller: Caller, id: Uuid, step: Step) -> Result<Command, ApiError> {
    caller.require(SENDERS)?;
    let merchant = caller.role == Role::Merchant;
    Ok(Command {
        id,
        owner: None,
        step,
        by: if merchant {
            OrderActor::Merchant
        } else {
            OrderActor::Support
        },
        actor: caller.user,
    })
}

struct Command {
    id: Uuid,
    /// Whose order it has to be, when not anybody's.
    owner: Option<Uuid>,
    step: Step,
    by: OrderActor,
    actor: Uuid,
}

impl Command {
    async fn run(self, state: AppState, key: Option<String>) -> Result<Response, ApiError> {
        let shard = match self.owner {
            Some(owner) => state.shards.of_user(owner)?,
            None => {
                let found = order::find_anywhere(&state.shards, self.id).await?;
                found.ok_or_else(|| no_order(self.id))?.0
            }
        };
        let Some(key) = key else {
            return self.apply(&shard, None).await;
        };
        let print = fingerprint("change", &(self.id, format!("{:?}", self.step)))?;
        match begin(&shard.pool, REQUESTS, self.actor, &key, &print).await? {
            Begin::Replay(answer) => Ok(answer),
            Begin::Fresh(ticket) => {
                let applied = self.apply(&shard, Some(&ticket)).await;
                if applied.is_err() {
                    // Does nothing when it was committed after all.
                    ticket.abandon(&shard.pool).await;
                }
                applied
            }
        }
    }

    async fn apply(&self, shard: &Shard, ticket: Option<&Ticket>) -> Result<Response, ApiError> {
        let store = |error: sqlx::Error| ApiError::from(shard.pool.error(&error));
        let mut transaction = shard.pool.begin().await?;
        let locked = lock(&mut transaction, shard.index, &[self.id]).await.map_err(store)?;
        let mine = |stored: &Stored| self.owner.is_none_or(|owner| stored.order.user_id == owner);
        let stored = locked.into_iter().find(mine).ok_or_else(|| no_order(self.id))?;
        // Somebody who tries again comes to a pod that knows it, in the end.
        let unknown = || ApiError::unavailable(SERVICE, stored.unknown());
        let state = stored.state.ok_or_else(unknown)?;
        let stored = match next(state, self.step) {
            Next::Stay => stored,
            Next::Refuse => return Err(self.refused(&stored)),
            Next::Move(state) => {
                let change = Change {
                    stored: stored.moved(state).map_err(store)?,
                    to: state,
                    by: self.by,
                    actor: Some(self.actor),
                    at: time::now(),
                };
                write(&mut transaction, std::slice::from_ref(&change))
                    .await
                    .map_err(store)?;
                change.stored
            }
        };
        let body = serde_json::to_string(&stored.order).map_err(|error| ApiError::internal(SERVICE, error))?;
        if let Some(ticket) = ticket {
            ticket.finish(&mut transaction, StatusCode::OK, None, &body).await?;
        }
        shard.pool.commit(transaction).await?;
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(([json], body).into_response())
    }

    fn refused(&self, stored: &Stored) -> ApiError {
        let rule = match self.step {
            Step::Ship => "only confirmed orders are shipped",
            Step::Deliver => "only shipped orders are delivered",
            Step::CancelByCustomer | Step::CancelBySupport => "orders are cancelled before they are shipped",
            Step::Captured | Step::Declined | Step::OutOfStock => "events are never refused",
        };
        let detail = format!("order {} is {}: {rule}", self.id, stored.order.status);
        ApiError::new(StatusCode::CONFLICT, "order-state", detail)
    }
}
