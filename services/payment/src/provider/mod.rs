//! What a payment provider is to this service: four questions, each under an idempotency key, each with one of four
//! answers. It may take long, fail or say nothing; whoever asks must be able to ask again under the same key.

mod deliver;
mod gather;
mod key;
mod ledger;
mod test_provider;
mod token;

pub use deliver::deliver;
pub use key::Key;
pub use ledger::sweep;
pub use test_provider::{TestProvider, TestSettings};

use uuid::Uuid;

/// What is to be paid, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub payment_id: Uuid,
    /// Passed on as the merchant's reference.
    pub order_id: Uuid,
    pub token: String,
    /// Of this question: a refund may be a part.
    pub amount_cents: i64,
    pub currency: String,
    /// The operator's test order: answered at once.
    pub synthetic: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Declined(String),
    /// A webhook will tell.
    Pending,
    /// It may have happened: ask again under the same key.
    Unknown(String),
}

pub trait Provider: Send + Sync + 'static {
    /// Holds the amount.
    fn authorise(&self, key: &str, charge: &Charge) -> impl Future<Output = Outcome> + Send;
    /// Takes what is held.
    fn capture(&self, key: &str, charge: &Charge) -> impl Future<Output = Outcome> + Send;
    /// Lets go of what is held.
    fn void(&self, key: &str, charge: &Charge) -> impl Future<Output = Outcome> + Send;
    /// Gives back what was taken.
    fn refund(&self, key: &str, charge: &Charge) -> impl Future<Output = Outcome> + Send;
}
