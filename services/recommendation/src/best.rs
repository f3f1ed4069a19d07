//! The best sellers as the API remembers them: read again after a while, by one request at a time, while the others go
//! on with what was read before. When the database does not answer, that stays as it is.

use crate::store::best;
use shop_kit_postgres::Pool;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use uuid::Uuid;

const FRESH: Duration = Duration::from_secs(30);
/// More than any answer is long, so that some may be left out.
const KEPT: i64 = 150;

type Sellers = Arc<Vec<(Uuid, i64)>>;

#[derive(Clone)]
pub struct BestSellers {
    pool: Pool,
    fresh: Duration,
    kept: Arc<RwLock<Option<(Instant, Sellers)>>>,
    reading: Arc<Mutex<()>>,
}

impl BestSellers {
    pub fn new(pool: Pool) -> Self {
        Self::read_every(pool, FRESH)
    }

    /// With another time after which they are read again.
    pub fn read_every(pool: Pool, fresh: Duration) -> Self {
        Self {
            pool,
            fresh,
            kept: Arc::default(),
            reading: Arc::default(),
        }
    }

    /// Most pieces first, with how many.
    pub async fn sellers(&self) -> Sellers {
        let kept = self.kept();
        if let Some((read_at, sellers)) = &kept
            && read_at.elapsed() < self.fresh
        {
            return sellers.clone();
        }
        let Ok(_reading) = self.reading.try_lock() else {
            return kept.map(|(_, sellers)| sellers).unwrap_or_default();
        };
        let sellers = match best::sellers(&self.pool, KEPT).await {
            Ok(sellers) => Arc::new(sellers),
            Err(error) => {
                tracing::warn!("best sellers stay as they were: {error}");
                kept.map(|(_, sellers)| sellers).unwrap_or_default()
            }
        };
        let mut place = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some((Instant::now(), sellers.clone()));
        sellers
    }

    fn kept(&self) -> Option<(Instant, Sellers)> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
