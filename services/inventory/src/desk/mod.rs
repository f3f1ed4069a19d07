//! Where checkouts of this process queue for stock. Two clerks serve them: each takes whoever waits, up to a limit, and
//! reserves for all of them in one statement; who comes meanwhile waits for the next turn. So nobody waits for company,
//! and under load a commit serves many. What the fast way leaves, for other orders were in its path, goes the slow way.

mod clerk;
mod metrics;

use crate::settle::Answer;
use crate::store::reserve::Order;
use clerk::Clerk;
pub use metrics::DeskMetrics;
use shop_kit_postgres::{Pool, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Checkouts that may wait; more are sent away.
const QUEUE: usize = 1024;

/// How a desk works.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long units are held for an order that is not paid.
    pub hold: Duration,
    pub clerks: usize,
    /// Orders served in one turn.
    pub at_once: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(15 * 60),
            clerks: 2,
            at_once: 64,
        }
    }
}

type Answered = Result<Answer, StoreError>;

struct Waiting {
    order: Order,
    answer: oneshot::Sender<Answered>,
}

/// Cloning shares the queue. The clerks go home when the last clone is gone.
#[derive(Clone)]
pub struct Desk {
    queue: mpsc::Sender<Waiting>,
    pool: Pool,
}

impl Desk {
    /// Must be called inside a runtime.
    pub fn open(pool: Pool, rules: Rules, metrics: DeskMetrics) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let queue = Arc::new(Mutex::new(receiver));
        for _ in 0..rules.clerks {
            let clerk = Clerk {
                queue: queue.clone(),
                pool: pool.clone(),
                rules,
                metrics: metrics.clone(),
            };
            tokio::spawn(clerk.work());
        }
        Self { queue: sender, pool }
    }

    pub async fn reserve(&self, order: Order) -> Answered {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue.try_send(Waiting { order, answer });
        queued.map_err(|_| self.closed("too many wait for stock"))?;
        let answered = answered.await;
        answered.unwrap_or_else(|_| Err(self.closed("nobody serves the queue for stock")))
    }

    fn closed(&self, detail: &str) -> StoreError {
        StoreError::Unavailable {
            tier: self.pool.tier().clone(),
            detail: detail.to_owned(),
        }
    }
}
