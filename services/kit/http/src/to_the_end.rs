//! Work that goes on when its client hangs up: a change that was begun is finished or undone, not cut in the middle.

use crate::ApiError;
use tracing::Instrument;

pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let task = tokio::spawn(work.in_current_span());
    // It panicked: the client gets an answer all the same.
    task.await
        .unwrap_or_else(|error| Err(ApiError::internal("service", error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let answer = to_the_end::<()>(async { panic!("on purpose") }).await;
        assert_eq!(answer.unwrap_err().status, 500);
    }
}
