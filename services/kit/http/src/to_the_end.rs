//! Work that goes on when its client hangs up: a change that was begun is finished or undone, not cut in the middle.

use crate::ApiError;
use tracing::Instrument;

/// `tier` is named when the work panics.
pub async fn to_the_end<T: Send + 'static>(
    tier: &'static str,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let task = tokio::spawn(work.in_current_span());
    task.await.unwrap_or_else(|error| Err(ApiError::internal(tier, error)))
}
