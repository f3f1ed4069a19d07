//! What a user is told when a step fails: what, why, the way out, and the end of the log.
//! In: any error. Out: lines. Must not exit the process: `main` does.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error that knows its way out.
#[derive(Debug)]
pub struct Failure {
    pub what: String,
    pub details: Vec<String>,
    pub way_out: Option<String>,
    pub log: Option<PathBuf>,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Failure {
        Failure {
            what: what.into(),
            details: Vec::new(),
            way_out: None,
            log: None,
        }
    }

    /// An error told with all it knows.
    pub fn of(error: &anyhow::Error) -> Failure {
        Failure {
            details: explain(error, 0),
            ..Failure::new(error.to_string())
        }
    }

    pub fn detail(mut self, line: impl Into<String>) -> Failure {
        self.details.push(line.into());
        self
    }

    pub fn way_out(mut self, line: impl Into<String>) -> Failure {
        self.way_out = Some(line.into());
        self
    }

    pub fn log(mut self, log: impl Into<PathBuf>) -> Failure {
        self.log = Some(log.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// The lines below the failed step: details, way out, then the last `count` lines of its log.
pub fn explain(error: &anyhow::Error, count: usize) -> Vec<String> {
    let mut lines: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    if let Some(failure) = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()) {
        lines.extend(failure.details.iter().cloned());
        lines.extend(failure.way_out.iter().map(|way| format!("→ {way}")));
        if let Some(log) = &failure.log {
            lines.push(format!("log {}", log.display()));
            lines.extend(tail(log, count).into_iter().map(|line| format!("| {line}")));
        }
    }
    lines
}

/// The last lines of a file; nothing when it cannot be read.
pub fn tail(log: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_details_way_out_and_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        std::fs::write(&log, "one\ntwo\nthree\n").unwrap();
        let failure = Failure::new("no node is Ready")
            .detail("node1: not there")
            .way_out("look")
            .log(&log);
        let lines = explain(&anyhow::Error::from(failure), 2);
        assert_eq!(lines[..2], ["node1: not there", "→ look"]);
        assert_eq!(lines[3..], ["| two", "| three"]);
    }
}
