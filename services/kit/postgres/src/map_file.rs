//! The shard map's file. Read by polling: a mounted ConfigMap is replaced through symbolic links, which file watchers
//! miss. Says what is in the file; whether to take it is decided elsewhere.

use shop_contract::shard_map::ShardMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at the file.
pub(crate) const POLL: Duration = Duration::from_secs(2);

pub(crate) struct MapFile {
    path: PathBuf,
    last: Option<String>,
}

impl MapFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            last: None,
        }
    }

    pub(crate) fn read(&self) -> Result<ShardMap, String> {
        self.parse(&self.text()?)
    }

    /// The map when the text differs from the last look; a text that cannot be read is reported once.
    pub(crate) fn changed(&mut self) -> Result<Option<ShardMap>, String> {
        let text = self.text()?;
        if self.last.as_deref() == Some(&text) {
            return Ok(None);
        }
        let map = self.parse(&text);
        self.last = Some(text);
        map.map(Some)
    }

    fn text(&self) -> Result<String, String> {
        std::fs::read_to_string(&self.path).map_err(|error| format!("shard map {}: {error}", self.path.display()))
    }

    fn parse(&self, text: &str) -> Result<ShardMap, String> {
        ShardMap::parse(text).map_err(|error| format!("{} ({})", error, self.path.display()))
    }
}
