//! Open questions that nobody asks any more: their process died, or they had no answer. Takes them when they are due
//! and asks again under the same key.

use crate::decide::Call;
use crate::job::ask::Ask;
use crate::machine::Operation;
use crate::provider::{Key, Provider};
use crate::store::payment::{self, Payment};
use crate::store::refund;
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BATCH: i64 = 64;
/// Between two looks: the first after work, the last when idle.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

pub async fn chase_all<P: Provider>(pool: Pool, ask: Ask<P>, stop: CancellationToken) {
    let mut pause = PAUSE.1;
    while !stop.is_cancelled() {
        pause = match due(&pool, ask.settings.waits.lease).await {
            Ok(calls) if calls.is_empty() => (pause * 2).min(PAUSE.1),
            Ok(calls) => {
                ask.all(calls).await;
                PAUSE.0
            }
            Err(error) => {
                tracing::warn!("open questions not read: {error}");
                PAUSE.1
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Takes what is due, for the time of `lease`.
pub async fn due(pool: &Pool, lease: Duration) -> Result<Vec<Call>, StoreError> {
    let payments = payment::take_due(pool, lease, BATCH).await?;
    let refunds = refund::take_due(pool, lease, BATCH).await?;
    let refunds = refunds.into_iter().map(|refund::Due { id, charge }| Call {
        key: Key::Refund {
            payment: charge.payment_id,
            refund: id,
        },
        charge,
    });
    Ok(payments.iter().filter_map(call).chain(refunds).collect())
}

fn call(payment: &Payment) -> Option<Call> {
    let key = match payment.standing.phase.asking()? {
        Operation::Authorise => Key::Authorise(payment.id),
        Operation::Capture => Key::Capture(payment.id),
        Operation::Void => Key::Void(payment.id),
        // Asked for by the refunds themselves.
        Operation::Refund => return None,
    };
    let charge = payment.charge();
    Some(Call { key, charge })
}
