//! What may go wrong in a store, with its tier. Sorted by what a caller does next: try again later, or give up.

use shop_kit_http::ApiError;
use std::sync::Arc;

#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The tier does not answer, or only for reading: the same statement may succeed later.
    #[error("{tier} is unavailable: {detail}")]
    Unavailable { tier: Arc<str>, detail: String },
    /// The tier is there, but the statement took longer than it may. Whoever asks another server does the work twice.
    #[error("{tier} took too long: {detail}")]
    Late { tier: Arc<str>, detail: String },
    /// The statement itself failed.
    #[error("{tier} refused a statement: {detail}")]
    Failed { tier: Arc<str>, detail: String },
}

impl StoreError {
    pub fn tier(&self) -> &Arc<str> {
        match self {
            Self::Unavailable { tier, .. } | Self::Late { tier, .. } | Self::Failed { tier, .. } => tier,
        }
    }

    /// Whether the same statement may succeed later: the tier was away, or had no time for it.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Late { .. })
    }

    pub(crate) fn of(tier: &Arc<str>, error: &sqlx::Error) -> Self {
        let (tier, detail) = (tier.clone(), error.to_string());
        if late(error) {
            Self::Late { tier, detail }
        } else if unavailable(error) {
            Self::Unavailable { tier, detail }
        } else {
            Self::Failed { tier, detail }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable { tier, .. } => {
                tracing::warn!(tier = &**tier, "{error}");
                Self::unavailable(&**tier, format!("{tier} does not answer"))
            }
            StoreError::Late { tier, .. } => {
                tracing::warn!(tier = &**tier, "{error}");
                Self::too_slow(&**tier, format!("{tier} was not done in time"))
            }
            StoreError::Failed { tier, .. } => Self::internal(&**tier, &error),
        }
    }
}

/// The server ended the statement after its time limit.
fn late(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "57014")
}

fn unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| passing(&code)),
        _ => false,
    }
}

/// SQLSTATEs of a server that starts, stops, fails over or is full, and of PgBouncer without a server (08P01, 58000).
fn passing(code: &str) -> bool {
    let class = ["08", "53", "57", "58", "28", "40"];
    let read_only = code == "25006";
    let unknown_database = code == "3D000";
    read_only || unknown_database || class.iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tier_and_the_way_on_are_told() {
        let tier: Arc<str> = "postgres/orders/1".into();
        let lost = StoreError::of(&tier, &sqlx::Error::PoolTimedOut);
        assert!(lost.is_unavailable());
        let shown = ApiError::from(lost);
        assert_eq!(
            (shown.status.as_u16(), shown.tier.as_deref()),
            (503, Some("postgres/orders/1"))
        );
        let shown = ApiError::from(StoreError::of(&tier, &sqlx::Error::RowNotFound));
        assert_eq!(
            (shown.status.as_u16(), shown.tier.as_deref()),
            (500, Some("postgres/orders/1"))
        );
    }

    #[test]
    fn a_demoted_primary_and_a_starting_server_pass() {
        assert!(
            ["25006", "57P03", "08006", "53300", "40001"]
                .iter()
                .all(|code| passing(code))
        );
        assert!(!["23505", "42P01", "22001"].iter().any(|code| passing(code)));
    }
}
