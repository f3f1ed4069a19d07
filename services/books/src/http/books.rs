//! `GET /api/v1/books` and `GET /api/v1/books/audit`.

use crate::router::AppState;
use crate::store::{audit, finding, total};
use axum::Json;
use axum::extract::State;
use shop_contract::api::books::{AuditEntry, Books, InvariantState};
use shop_contract::api::{Page, Role};
use shop_kit_http::{ApiError, PageQuery, Query, page};
use shop_kit_token::Caller;

const READERS: &[Role] = &[Role::Support, Role::Admin];
/// Findings in one answer.
const LISTED: i64 = 200;

/// What the last look found.
#[utoipa::path(
    get,
    path = shop_contract::api::BOOKS,
    operation_id = "readBooks",
    tag = "books",
    security(("bearer" = [])),
    responses((status = 200, description = "Invariants, open findings and sums", body = Books))
)]
pub async fn show(State(state): State<AppState>, caller: Caller) -> Result<Json<Books>, ApiError> {
    caller.require(READERS)?;
    let states = finding::states(&state.payments).await?;
    let invariants = states
        .into_iter()
        .map(|(invariant, violations, checked)| InvariantState {
            name: invariant.name().to_owned(),
            meaning: invariant.meaning().to_owned(),
            violations,
            checked_at: checked.and_then(rfc3339),
        });
    Ok(Json(Books {
        invariants: invariants.collect(),
        findings: finding::open(&state.payments, LISTED).await?,
        totals: total::read(&state.payments).await?,
    }))
}

/// What was repaired, newest first.
#[utoipa::path(
    get,
    path = shop_contract::api::books::AUDIT,
    operation_id = "listBooksAudit",
    tag = "books",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "Repairs", body = Page<AuditEntry>))
)]
pub async fn list_audit(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    caller.require(READERS)?;
    let (limit, before) = (query.limit()?, query.position()?);
    let entries = audit::list(&state.payments, before, limit + 1).await?;
    Ok(Json(page(entries, limit, |entry| entry.id)?))
}

fn rfc3339(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}
