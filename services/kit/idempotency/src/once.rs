//! A request under a key, from its ticket to its answer.

use crate::{Begin, Ticket, begin};
use axum::response::Response;
use shop_kit_http::{ApiError, to_the_end};
use shop_kit_postgres::Pool;
use std::sync::Arc;
use uuid::Uuid;

/// Does the work under the key of `owner`, or repeats the answer it had. The work finishes with the ticket it is given;
/// when it fails, however, the key is free again, unless it was committed after all. It goes [to the end](to_the_end).
pub async fn once<F>(
    pool: &Pool,
    table: &'static str,
    owner: Uuid,
    key: String,
    fingerprint: Vec<u8>,
    work: impl FnOnce(Arc<Ticket>) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    let pool = pool.clone();
    to_the_end(async move {
        let ticket = match begin(&pool, table, owner, &key, &fingerprint).await? {
            Begin::Replay(answer) => return Ok(answer),
            Begin::Fresh(ticket) => Arc::new(ticket),
        };
        let done = work(ticket.clone()).await;
        if done.is_err() {
            ticket.give_back(&pool).await;
        }
        done
    })
    .await
}
