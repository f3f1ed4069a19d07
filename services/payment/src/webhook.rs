//! What the provider tells by itself. In: the signature and the body as they came. Out: nothing, after the event and
//! its effect were written in one transaction; an event that was seen before changes nothing. The order of events does
//! not matter either, because the machine takes an answer only to what is being asked.

use crate::job::settle::{Answer, Waits, settle_in};
use crate::provider::{Key, Outcome};
use crate::signature;
use axum::http::StatusCode;
use serde_json::error::Category;
use shop_contract::api::payment::{PaymentWebhook, WebhookOutcome};
use shop_kit_config::Secret;
use shop_kit_http::ApiError;
use shop_kit_postgres::Pool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Characters of a key and of a reason.
const LONGEST: usize = 200;
/// Questions that follow are due at once, for whoever chases open ones: the process here may be the API's.
const AT_ONCE: Waits = Waits {
    lease: Duration::ZERO,
    first_pause: Duration::ZERO,
};

pub async fn receive(
    pool: &Pool,
    secret: &Secret,
    signed: Option<&str>,
    now: u64,
    body: &[u8],
) -> Result<(), ApiError> {
    let held = signature::check(secret.expose(), signed.unwrap_or_default(), now, body);
    held.map_err(|error| ApiError::new(StatusCode::UNAUTHORIZED, "signature", error.to_string()))?;
    let (webhook, answer) = read(body)?;
    let store = |error: sqlx::Error| ApiError::from(pool.error(&error));
    let mut transaction = pool.begin().await?;
    let noted =
        sqlx::query("insert into payment_webhooks (event_id, key, outcome) values ($1, $2, $3) on conflict do nothing")
            .bind(webhook.event_id)
            .bind(&webhook.key)
            .bind(match webhook.outcome {
                WebhookOutcome::Done => "done",
                WebhookOutcome::Declined => "declined",
            })
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
    if noted.rows_affected() == 0 {
        return Ok(());
    }
    let settled = settle_in(&mut transaction, &[answer], AT_ONCE).await.map_err(store)?;
    if let Some(later) = settled.later.first() {
        // Not noted either, so that the provider tells it again.
        return Err(ApiError::unavailable("service/payment", later.to_string()));
    }
    pool.commit(transaction).await?;
    Ok(())
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

fn read(body: &[u8]) -> Result<(PaymentWebhook, Answer), ApiError> {
    let webhook: PaymentWebhook = serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => ApiError::invalid_field("", error.to_string()),
        Category::Io | Category::Syntax | Category::Eof => ApiError::new(
            StatusCode::BAD_REQUEST,
            "not-json",
            format!("the body is not JSON: {error}"),
        ),
    })?;
    let unfit = |text: &str| text.chars().count() > LONGEST || text.contains(char::is_control);
    if unfit(&webhook.key) || webhook.reason.as_deref().is_some_and(unfit) {
        let detail = format!("`key` and `reason` have at most {LONGEST} characters on one line");
        return Err(ApiError::invalid_field("", detail));
    }
    let key: Key = webhook
        .key
        .parse()
        .map_err(|error: String| ApiError::invalid_field("/key", error))?;
    let outcome = match webhook.outcome {
        WebhookOutcome::Done => Outcome::Done,
        WebhookOutcome::Declined => Outcome::Declined(webhook.reason.clone().unwrap_or_default()),
    };
    Ok((webhook, Answer { key, outcome }))
}
