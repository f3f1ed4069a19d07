//! Holds one server: a small shell (`supervise.sh`) is its parent and waits for our end of a pipe to close.
//!
//! The pipe closes when the guard is dropped, and also when this process panics, aborts or is killed; so no server and
//! no folder survives a test. A death signal alone would not do: it belongs to the thread that forked.

use crate::place::Account;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than the supervisor itself waits before it kills.
const END: Duration = Duration::from_secs(20);
const LOG_LINES: usize = 40;

pub(crate) struct Guard {
    supervisor: Child,
    folder: PathBuf,
}

/// What to run, as whom, and how to ask it to stop.
pub(crate) struct Server<'a> {
    pub program: &'a Path,
    pub arguments: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    pub account: Option<Account>,
    /// Name of the signal, e.g. `TERM`.
    pub stop_signal: &'static str,
}

impl Guard {
    /// Starts the server; the folder is removed when it ends.
    pub fn start(folder: TempDir, server: &Server<'_>) -> Result<Self> {
        Self::start_in(folder.keep(), server)
    }

    /// As `start`, on a folder that `stop` kept.
    pub fn start_in(folder: PathBuf, server: &Server<'_>) -> Result<Self> {
        for stale in ["pid", "exit", "keep"] {
            let _ = std::fs::remove_file(folder.join(stale));
        }
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(include_str!("supervise.sh")).arg("supervise");
        command.arg(&folder).arg(server.stop_signal);
        command
            .args(as_account(server.account))
            .arg(server.program)
            .args(&server.arguments);
        clean_environment(&mut command, &folder);
        command.envs(server.environment.iter().map(|(key, value)| (key, value)));
        // An own process group: an interrupt typed at the terminal is for the test, which then ends the server.
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let supervisor = command.spawn().context("cannot start /bin/sh")?;
        Ok(Self { supervisor, folder })
    }

    /// The server's exit code, once it has ended.
    pub fn ended(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join("exit"))
            .ok()
            .map(|code| code.trim().to_owned())
    }

    /// The server's last lines, for messages of failures.
    pub fn log(&self) -> String {
        let text = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Ends the server and keeps its folder, for a start on the same data.
    pub fn stop(self) -> Result<PathBuf> {
        let keep = self.folder.join("keep");
        std::fs::write(&keep, "").with_context(|| format!("cannot write {}", keep.display()))?;
        let kept = self.folder.clone();
        drop(self);
        Ok(kept)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let end = Instant::now() + END;
        while matches!(self.supervisor.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Past the deadline the supervisor is still at it; waiting longer would only hide the test's own result.
    }
}

/// The words in front of a command that has to run as another account.
fn as_account(account: Option<Account>) -> Vec<String> {
    let Some(Account { uid, gid }) = account else {
        return Vec::new();
    };
    [
        "setpriv",
        &format!("--reuid={uid}"),
        &format!("--regid={gid}"),
        "--clear-groups",
        "--",
    ]
    .map(String::from)
    .to_vec()
}

/// Nothing of the developer's own settings (PGHOST, RABBITMQ_*, LANG, …) reaches a server.
fn clean_environment(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsStr::new("/usr/sbin:/usr/bin:/sbin:/bin").to_owned());
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");
}
