//! Writes to the ledger what was asked meanwhile, as one statement: while one is under way the next batch gathers, so
//! a single question waits for nobody and hundreds a second cost few statements. A key is never twice in a batch.

use crate::provider::ledger::{self, Entry, Noted};
use shop_kit_postgres::Pool;
use std::collections::HashSet;
use tokio::sync::{mpsc, oneshot};

const BATCH: usize = 64;
/// Questions that may wait; whoever comes then waits for a place.
const WAITING: usize = 256;

type Answer = Result<Noted, String>;

struct Question {
    entry: Entry,
    answer: oneshot::Sender<Answer>,
}

/// Cloning shares the writer, which ends with the last clone.
#[derive(Clone)]
pub(crate) struct Gather {
    questions: mpsc::Sender<Question>,
}

impl Gather {
    /// Must be called inside a runtime.
    pub fn start(pool: Pool) -> Self {
        let (questions, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write_all(pool, waiting));
        Self { questions }
    }

    /// Noted even when whoever asks stops waiting.
    pub async fn note(&self, entry: Entry) -> Answer {
        let (answer, noted) = oneshot::channel();
        let gone = |_| "the test provider has ended".to_owned();
        let sent = self.questions.send(Question { entry, answer }).await;
        sent.map_err(|_| gone(()))?;
        noted.await.map_err(|_| gone(()))?
    }
}

async fn write_all(pool: Pool, mut waiting: mpsc::Receiver<Question>) {
    let mut held = Vec::new();
    loop {
        let room = BATCH.saturating_sub(held.len());
        if held.is_empty() && waiting.recv_many(&mut held, room).await == 0 {
            return;
        }
        let mut keys = HashSet::new();
        let different = |question: &Question| keys.insert(question.entry.key.clone());
        let (batch, repeated): (Vec<_>, Vec<_>) = held.into_iter().partition(different);
        held = repeated;
        write(&pool, batch).await;
    }
}

async fn write(pool: &Pool, batch: Vec<Question>) {
    let entries: Vec<Entry> = batch.iter().map(|question| question.entry.clone()).collect();
    let noted = ledger::note(pool, &entries).await;
    for Question { entry, answer } in batch {
        let answered = match &noted {
            Ok(noted) => noted.get(&entry.key).cloned().ok_or_else(|| "not noted".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        // Whoever asked may have given up waiting.
        let _ = answer.send(answered);
    }
}
