//! Handlers: one file per noun, and one per verb where the verb is a story of its own.

pub mod body;
pub mod cart;
pub mod change;
pub mod place;
pub mod read;
pub mod shipping;

use shop_kit_http::ApiError;

/// Carries on when the client hangs up: a change that was begun is finished or undone, not cut in the middle.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let task = tokio::spawn(tracing::Instrument::in_current_span(work));
    task.await
        .unwrap_or_else(|error| Err(ApiError::internal("service/order", error)))
}
