//! Passwords: Argon2id with the parameters OWASP names first (19 MiB, 2 passes, 1 lane). Hashing takes a core for tens
//! of milliseconds, so it runs on blocking threads, no more at a time than there are cores: a flood of log-ins queues
//! instead of taking the process's memory.

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use shop_kit_http::ApiError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// KiB, passes, lanes (OWASP Password Storage Cheat Sheet).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes at a time at most, whatever the number of cores: each holds 19 MiB.
const MOST: usize = 4;
const TIER: &str = "service/user";

/// Cloning shares the limit.
#[derive(Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    patience: Duration,
}

impl Passwords {
    /// `patience` is how long a request waits for its turn.
    pub fn new(patience: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            slots: Arc::new(Semaphore::new(cores.min(MOST))),
            patience,
        }
    }

    /// A PHC string to keep.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.turn(move || {
            let salt = SaltString::generate(&mut OsRng);
            argon2()?
                .hash_password(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
        })
        .await
    }

    /// Whether the password belongs to the hash. `None` is an unknown customer: never true, and as slow.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(nobody);
        let matches = self
            .turn(move || {
                let hash = PasswordHash::new(&hash)?;
                Ok(argon2()?.verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && matches)
    }

    async fn turn<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
    {
        let slot = tokio::time::timeout(self.patience, self.slots.clone().acquire_owned()).await;
        let Ok(Ok(slot)) = slot else {
            return Err(ApiError::unavailable(TIER, "too many log-ins at once"));
        };
        // The slot goes with the work: a request that was given up does not let another start beside it.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        done.await
            .map_err(|error| ApiError::internal(TIER, error))?
            .map_err(|error| ApiError::internal(TIER, error))
    }
}

/// A hash no password has, of the same cost as a real one.
fn nobody() -> String {
    let (memory, passes, lanes) = COST;
    let (salt, hash) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
}

fn argon2() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::new(Duration::from_secs(60));
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            passwords
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("wrong horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_costs_what_a_customer_costs() {
        let passwords = Passwords::new(Duration::from_secs(60));
        let (real, nobody) = (passwords.hash("correct horse".to_owned()).await.unwrap(), nobody());
        let (real, nobody) = (PasswordHash::new(&real).unwrap(), PasswordHash::new(&nobody).unwrap());
        assert_eq!(
            (nobody.algorithm, nobody.version, &nobody.params),
            (real.algorithm, real.version, &real.params)
        );
        let length = |hash: &PasswordHash<'_>| hash.hash.map(|hash| hash.len());
        assert_eq!(length(&nobody), length(&real));
    }
}
