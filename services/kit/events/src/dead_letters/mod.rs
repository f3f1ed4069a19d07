//! The operators' verbs on what no consumer could handle: list, replay, drop. Messages are taken without being
//! acknowledged, so that whatever ends this program half-way leaves them where they were. A replayed message goes back
//! to its work queue through the shortest delay, with its failures forgotten.

mod letters;
mod print;

use crate::{Broker, BrokerError};
use clap::{Args, Subcommand, ValueEnum};
use shop_contract::event::Queue;
use uuid::Uuid;

pub use letters::{DeadLetter, drop_letters, list, replay};

/// What to do with the dead letters of this service's queues.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLetters {
    /// Show them with the reason why each was given up.
    List {
        /// Stop after so many of each queue.
        #[arg(long, default_value_t = 1000)]
        limit: u32,
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Send them back to the queue they came from, to be tried anew.
    Replay {
        #[command(flatten)]
        which: Which,
    },
    /// Remove them for good.
    Drop {
        #[command(flatten)]
        which: Which,
        /// Needed with `--all`.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The message with this id, and with it the events it came with.
    #[arg(long)]
    id: Option<Uuid>,
    /// All that are there now.
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("`drop --all` removes every dead letter for good: add --yes")]
    NotConfirmed,
    #[error("no dead letter has the id {0}")]
    NotFound(Uuid),
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

/// Does it and prints what was done.
pub async fn run(verb: DeadLetters, broker: &Broker, queues: &[Queue]) -> Result<(), DeadLettersError> {
    match verb {
        DeadLetters::List { limit, output } => Ok(print::list(&list(broker, queues, limit).await?, output)?),
        DeadLetters::Replay { which } => {
            let count = replay(broker, queues, which.id).await?;
            report(count, "replayed", which.id)
        }
        DeadLetters::Drop { which, yes } => {
            if which.all && !yes {
                return Err(DeadLettersError::NotConfirmed);
            }
            let count = drop_letters(broker, queues, which.id).await?;
            report(count, "dropped", which.id)
        }
    }
}

fn report(count: usize, done: &str, id: Option<Uuid>) -> Result<(), DeadLettersError> {
    match id {
        Some(id) if count == 0 => Err(DeadLettersError::NotFound(id)),
        _ => Ok(print::line(&format!("{count} {done}"))?),
    }
}
