//! What the shop promised, in JSON lines. An acknowledged order counts only once its line is on the disk: the audit may
//! then rely on it although this process dies. Lines that come together share one sync.

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use shop_contract::api::Order;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use uuid::Uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Run {
        run: Uuid,
        at: String,
        seed: u64,
        hot: Option<Hot>,
    },
    /// A customer of this run, and of no other.
    Customer {
        user: Uuid,
    },
    /// Before the first attempt at a checkout: from here on the shop may have an order of it.
    Intent {
        key: Uuid,
        user: Uuid,
        token: String,
    },
    Acknowledged {
        key: Uuid,
        user: Uuid,
        order: Box<Order>,
    },
    /// Certainly no order.
    Refused {
        key: Uuid,
        user: Uuid,
        status: u16,
        kind: String,
    },
    /// Tried again and again, and never told.
    Unknown {
        key: Uuid,
        user: Uuid,
    },
    /// Its customer asked to cancel it, and was told it is.
    Cancelled {
        user: Uuid,
        order: Uuid,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hot {
    pub product: Uuid,
    pub units: u32,
}

type Entry = (Line, oneshot::Sender<std::io::Result<()>>);

/// Cloning shares the file.
#[derive(Clone)]
pub struct OrderLog {
    /// None when nothing is kept.
    entries: Option<Sender<Entry>>,
    pub path: PathBuf,
}

impl OrderLog {
    /// Keeps nothing: no audit follows a bench, and writing to the disk would take from the databases beside it.
    pub fn nowhere() -> Self {
        Self {
            entries: None,
            path: PathBuf::new(),
        }
    }

    /// A new file in the folder, named by time.
    pub fn create(folder: &Path, run: Uuid) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // An id of version 7 sorts by time.
        let path = folder.join(format!("{run}.jsonl"));
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let (entries, received) = channel();
        std::thread::spawn(move || write(file, &received));
        Ok(Self {
            entries: Some(entries),
            path,
        })
    }

    /// Returns when the line is on the disk.
    pub async fn write(&self, line: Line) -> anyhow::Result<()> {
        let Some(entries) = &self.entries else {
            return Ok(());
        };
        let (done, written) = oneshot::channel();
        let gone = || anyhow!("the log {} cannot be written any more", self.path.display());
        entries.send((line, done)).map_err(|_| gone())?;
        written.await.map_err(|_| gone())?.with_context(gone)
    }
}

fn write(mut file: File, received: &Receiver<Entry>) {
    while let Ok(first) = received.recv() {
        let mut waiting = vec![first];
        waiting.extend(received.try_iter());
        let written = append(&mut file, &waiting);
        for (_, done) in waiting {
            let told = match &written {
                Ok(()) => Ok(()),
                Err(error) => Err(std::io::Error::new(error.kind(), error.to_string())),
            };
            // Whoever asked may have gone.
            let _ = done.send(told);
        }
    }
}

fn append(file: &mut File, entries: &[Entry]) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for (line, _) in entries {
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
    }
    file.write_all(&bytes)?;
    file.sync_data()
}

/// All lines; a last one that was cut off in the middle was never counted and is left out.
pub fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{} line {}", path.display(), number + 1))
    };
    whole.lines().enumerate().map(parse).collect()
}

/// The newest log of a folder.
pub fn newest(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries.map(|entry| entry.path());
    logs.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .max()
        .with_context(|| format!("there is no log in {}: run ./shop load first", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_back_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let log = OrderLog::create(folder.path(), Uuid::now_v7()).unwrap();
        let (key, user) = (Uuid::now_v7(), Uuid::now_v7());
        let writes = (0..50).map(|_| log.write(Line::Unknown { key, user }));
        for written in futures::future::join_all(writes).await {
            written.unwrap();
        }
        let mut file = OpenOptions::new().append(true).open(&log.path).unwrap();
        file.write_all(b"{\"event\":\"unk").unwrap();
        assert_eq!(newest(folder.path()).unwrap(), log.path);
        assert_eq!(read(&log.path).unwrap().len(), 50);
    }
}
