//! Providers that break in ways a token cannot ask for.

use shop_payment::provider::{Charge, Outcome, Provider, TestProvider};
use uuid::Uuid;

/// Does what it is asked and never says so, like a process that dies between the provider and its record.
pub struct Mute(pub TestProvider);

/// Forgets that it was asked before: the fault every key is there to prevent.
pub struct Forgetful(pub TestProvider);

impl Provider for Mute {
    async fn authorise(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.authorise(key, charge).await;
        std::future::pending().await
    }

    async fn capture(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.capture(key, charge).await;
        std::future::pending().await
    }

    async fn void(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.void(key, charge).await;
        std::future::pending().await
    }

    async fn refund(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.refund(key, charge).await;
        std::future::pending().await
    }
}

impl Provider for Forgetful {
    async fn authorise(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.authorise(key, charge).await
    }

    /// Under a new key each time; the first answer is lost.
    async fn capture(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.capture(&format!("{key}/{}", Uuid::now_v7()), charge).await;
        Outcome::Unknown("the answer was lost".to_owned())
    }

    async fn void(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.void(key, charge).await
    }

    async fn refund(&self, key: &str, charge: &Charge) -> Outcome {
        self.0.refund(key, charge).await
    }
}
