//! What a service gives to a consumer: a handler, and words for what may go wrong in it.

use shop_kit_postgres::StoreError;

/// A message as a handler sees it.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: String,
    pub payload: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A tier does not answer: not the message's fault.
    #[error("{0}")]
    Unavailable(String),
    /// Unexpected; may succeed when tried again.
    #[error("{0}")]
    Failed(String),
    /// Will never succeed.
    #[error("{0}")]
    Poison(String),
}

/// Does what a message asks for. `Ok` only when that is durable; the same message may come twice.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, message: &Message) -> impl Future<Output = Result<(), HandleError>> + Send;
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }
}
