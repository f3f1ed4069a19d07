//! One of those who serve the queue: takes a group, reserves for it the fast way, and for the rest of it the slow way.

use super::{Answered, DeskMetrics, Rules, Waiting};
use crate::settle::{Answer, Ask};
use crate::store::reserve::{Order, reserve};
use crate::store::settlement::settle_alone;
use shop_kit_postgres::{Pool, StoreError};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

pub(super) struct Clerk {
    pub queue: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    pub pool: Pool,
    pub rules: Rules,
    pub metrics: DeskMetrics,
}

impl Clerk {
    pub async fn work(self) {
        while let Some(mut group) = self.next().await {
            // One order of ids for everybody who adds reservations: nobody waits in a circle.
            group.sort_by_key(|waiting| waiting.order.id);
            self.metrics.group(group.len());
            self.serve(group).await;
        }
    }

    async fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue.lock().await;
        let mut group = Vec::new();
        match queue.recv_many(&mut group, self.rules.at_once).await {
            0 => None,
            _ => Some(group),
        }
    }

    async fn serve(&self, group: Vec<Waiting>) {
        let orders: Vec<&Order> = group.iter().map(|waiting| &waiting.order).collect();
        let answers = match reserve(&self.pool, &orders, self.rules.hold).await {
            Ok(answers) => answers,
            // Nobody else would fare better, and whoever was served will be told when they ask again.
            Err(error) if error.is_unavailable() => return self.fail(group, &error),
            // Such as an order that two processes reserve for at the same time. Nothing was written.
            Err(error) => {
                tracing::info!("reserving for {} orders, now one by one: {error}", group.len());
                vec![None; group.len()]
            }
        };
        let (mut left, mut settled) = (Vec::new(), Vec::new());
        for (waiting, answer) in group.into_iter().zip(answers) {
            match answer {
                Some(answer) => settled.push((waiting, answer)),
                None => left.push(waiting),
            }
        }
        settled
            .into_iter()
            .for_each(|(waiting, answer)| self.answer(waiting, Ok(answer)));
        if !left.is_empty() {
            self.serve_slowly(left).await;
        }
    }

    async fn serve_slowly(&self, group: Vec<Waiting>) {
        self.metrics.count("slow_way", group.len());
        let ask = |waiting: &Waiting| Ask::Reserve {
            order: waiting.order.id,
            lines: waiting.order.lines.clone(),
        };
        let asks: Vec<Ask> = group.iter().map(ask).collect();
        match settle_alone(&self.pool, &asks, self.rules.hold).await {
            Ok(answers) => {
                let answered = group.into_iter().zip(answers);
                answered.for_each(|(waiting, answer)| self.answer(waiting, Ok(answer)));
            }
            Err(error) => self.fail(group, &error),
        }
    }

    fn fail(&self, group: Vec<Waiting>, error: &StoreError) {
        group
            .into_iter()
            .for_each(|waiting| self.answer(waiting, Err(error.clone())));
    }

    /// Whoever has left holds the units until they expire, or asks again.
    fn answer(&self, waiting: Waiting, answer: Answered) {
        let outcome = match &answer {
            Ok(Answer::Held(_)) => "held",
            Ok(Answer::Short(_)) => "out_of_stock",
            Ok(_) => "known",
            Err(_) => "failed",
        };
        self.metrics.count(outcome, 1);
        let _ = waiting.answer.send(answer);
    }
}
