//! What a service gives to a consumer: a handler, and words for what may go wrong in it.

use serde::de::DeserializeOwned;
use shop_kit_postgres::StoreError;
use uuid::Uuid;

/// A message as a handler sees it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The event's id: the same whenever the event comes again.
    pub id: Uuid,
    pub kind: String,
    pub payload: Vec<u8>,
    /// 1 at first; grows with every attempt that failed by itself.
    pub attempt: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A tier does not answer: not the message's fault, and never counted as such.
    #[error("{0}")]
    Unavailable(String),
    /// Unexpected; may succeed when tried again.
    #[error("{0}")]
    Failed(String),
    /// Will never succeed.
    #[error("{0}")]
    Poison(String),
}

/// Does what messages ask for, one transaction per batch (and shard). `Ok` only when all of it is durable; the same
/// message may come twice, also within one batch. After an error each message of the batch is handled alone.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, batch: &[Message]) -> impl Future<Output = Result<(), HandleError>> + Send;
}

impl Message {
    /// What the message tells; what cannot be read never will be.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, HandleError> {
        serde_json::from_slice(&self.payload)
            .map_err(|error| HandleError::Poison(format!("{} {} cannot be read: {error}", self.kind, self.id)))
    }
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
