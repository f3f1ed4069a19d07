//! SQL of this service, one file per noun. The test provider's ledger is not among them: it is the provider's.

pub mod batch;
pub mod payment;
pub mod phase;
pub mod refund;
pub mod shown;
