//! Holds stock at inventory for an order that is about to be placed, and lets go of it when the order was not. Inventory
//! knows a reservation by the order's id, so asking again is the same reservation.

use crate::neighbour::{Answer, Neighbour};
use reqwest::StatusCode;
use shop_contract::api::{OrderLine, RESERVATIONS, ReserveStock};
use shop_kit_http::{ApiError, RequestId};
use uuid::Uuid;

#[derive(Clone)]
pub struct Stock {
    inventory: Neighbour,
}

impl Stock {
    pub fn new(inventory: Neighbour) -> Self {
        Self { inventory }
    }

    /// On an error nothing is held, or [`Stock::release`] was sent after it.
    pub async fn reserve(&self, order: Uuid, lines: &[OrderLine], request: &RequestId) -> Result<(), ApiError> {
        let asked = ReserveStock {
            order_id: order,
            lines: lines.to_vec(),
        };
        let answer = self.inventory.post(RESERVATIONS, &asked, request).await;
        let error = match answer {
            Ok(answer) if answer.status.is_success() => return Ok(()),
            Ok(answer) if answer.status == StatusCode::CONFLICT => return Err(out_of_stock(&answer)),
            Ok(answer) => self.inventory.refused(&answer),
            Err(error) => error,
        };
        self.release(order, request);
        Err(error)
    }

    /// Best effort and in the background: what is not released expires.
    pub fn release(&self, order: Uuid, request: &RequestId) {
        let (inventory, request) = (self.inventory.clone(), request.clone());
        tokio::spawn(async move {
            let path = format!("{RESERVATIONS}/{order}");
            if let Err(error) = inventory.delete(&path, &request).await {
                tracing::info!(%order, "reservation not released, it will expire: {}", error.detail);
            }
        });
    }
}

/// The lines were sent as they stand in the order, so inventory's pointers fit.
fn out_of_stock(answer: &Answer) -> ApiError {
    let mut error = ApiError::new(
        StatusCode::CONFLICT,
        "out-of-stock",
        "there is not as much as was ordered: see `errors`",
    );
    error.errors = answer.problem().map(|problem| problem.errors).unwrap_or_default();
    error
}
