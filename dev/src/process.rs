//! Long-lived processes: started detached, recorded, found again, stopped.
//! A record is the pid with the process's start time, so that a reused pid is never taken for ours.
//! Each process is put into a cgroup before it becomes the program, so that whatever it starts is found as well.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::command;
use crate::failure::Failure;
use crate::wait::{self, Look};

/// What is to run. Two daemons with the same digest need no restart.
#[derive(Debug, Hash)]
pub struct Daemon {
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub envs: Vec<(String, String)>,
    /// Network namespace to run in; the host's when None.
    pub netns: Option<String>,
    /// A `cgroup.procs` file to join first.
    pub join: PathBuf,
    /// The text of its configuration file, so that a change restarts it.
    pub config: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub pid: i32,
    pub started: u64,
    pub digest: u64,
}

/// Where the records of a machine's cluster lie.
pub struct Records {
    pub folder: PathBuf,
}

impl Records {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// The record of a process that still runs.
    pub fn alive(&self, name: &str) -> Option<Record> {
        let text = std::fs::read(self.file(name)).ok()?;
        let record: Record = serde_json::from_slice(&text).ok()?;
        (start_time(record.pid) == Some(record.started)).then_some(record)
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".json")
                    .map(ToString::to_string)
            })
            .collect();
        names.sort();
        names
    }

    /// Starts it unless it runs already with the same command and configuration. True when it was (re)started.
    pub fn ensure(&self, daemon: &Daemon, log: &Path) -> Result<bool> {
        match self.alive(&daemon.name) {
            Some(record) if record.digest == digest(daemon) => return Ok(false),
            Some(_) => self.stop(&daemon.name, Duration::from_secs(10))?,
            None => {}
        }
        self.start(daemon, log)?;
        Ok(true)
    }

    fn start(&self, daemon: &Daemon, log: &Path) -> Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        if std::fs::metadata(log).is_ok_and(|meta| meta.len() > 64 << 20) {
            std::fs::remove_file(log)?;
        }
        let file = command::open_log(log)?;
        let mut line = Command::new("setsid");
        line.args(["sh", "-c", r#"echo $$ >"$1" || exit 97; shift; exec "$@""#, "sh"])
            .arg(&daemon.join);
        if let Some(netns) = &daemon.netns {
            // Not `ip netns exec`: that remounts /sys and hides the cgroups from the kubelet.
            line.arg("nsenter").arg(format!("--net=/run/netns/{netns}"));
        }
        line.arg(&daemon.program).args(&daemon.args);
        line.envs(daemon.envs.iter().map(|(key, value)| (key, value)));
        line.current_dir("/")
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = line.spawn().with_context(|| format!("cannot start {}", daemon.name))?;
        let pid = i32::try_from(child.id()).context("pid out of range")?;
        let started = start_time(pid).ok_or_else(|| Failure::new(format!("{} ended at once", daemon.name)).log(log))?;
        let record = Record {
            pid,
            started,
            digest: digest(daemon),
        };
        std::fs::write(self.file(&daemon.name), serde_json::to_vec(&record)?)?;
        Ok(())
    }

    /// Asks it to end, insists after `grace`.
    pub fn stop(&self, name: &str, grace: Duration) -> Result<()> {
        if let Some(record) = self.alive(name) {
            signal(record.pid, "TERM");
            let gone = || {
                Ok(if self.alive(name).is_none() {
                    Look::Ready(())
                } else {
                    Look::NotYet("still running".into())
                })
            };
            if wait::until(name, grace, Duration::from_millis(50), gone).is_err() {
                signal(record.pid, "KILL");
                wait::until(name, Duration::from_secs(10), Duration::from_millis(50), gone)?;
            }
        }
        let _ = std::fs::remove_file(self.file(name));
        Ok(())
    }
}

fn digest(daemon: &Daemon) -> u64 {
    let mut hasher = DefaultHasher::new();
    daemon.hash(&mut hasher);
    hasher.finish()
}

/// Sends a signal by name; a process that is gone is no error.
pub fn signal(pid: i32, name: &str) {
    let _ = command::succeeds(Command::new("kill").args(["-s", name, "--", &pid.to_string()]));
}

/// Whether the process itself listens on a TCP port of this machine: an answer alone may be somebody else's.
pub fn listens(pid: i32, port: u16) -> bool {
    holds_any(pid, &sockets(port))
}

/// Who listens on the port, as `process 7 (nginx)`.
pub fn listeners(port: u16) -> Vec<String> {
    let sockets = sockets(port);
    let name = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    all()
        .into_iter()
        .filter(|pid| holds_any(*pid, &sockets))
        .map(|pid| format!("process {pid} ({})", name(pid).trim()))
        .collect()
}

/// Every process of this machine.
fn all() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn holds_any(pid: i32, sockets: &[String]) -> bool {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    open.filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|to| sockets.iter().any(|socket| to.as_os_str() == socket.as_str()))
}

/// Listening sockets in the words of `/proc/PID/fd`.
fn sockets(port: u16) -> Vec<String> {
    let tables = ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default());
    tables.iter().flat_map(|table| sockets_in(table, port)).collect()
}

fn sockets_in(table: &str, port: u16) -> Vec<String> {
    const LISTENS: &str = "0A";
    let end = format!(":{port:04X}");
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ours = fields.get(1)?.ends_with(&end) && *fields.get(3)? == LISTENS;
        ours.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"?")))
    };
    table.lines().filter_map(socket).collect()
}

/// Start time in clock ticks since boot; None when there is no such process or only its zombie.
pub fn start_time(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    start_time_in(&text)
}

fn start_time_in(stat: &str) -> Option<u64> {
    let fields = fields_in(stat)?;
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// The name in brackets may hold anything, so fields are counted from its end: state is the first, start the 20th.
fn fields_in(stat: &str) -> Option<Vec<&str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace().collect())
}

/// A process, who started it, and its process group.
#[derive(Clone, Copy, Debug)]
struct Kin {
    pid: i32,
    parent: i32,
    group: i32,
}

fn kin(pid: i32) -> Option<Kin> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = fields_in(&stat)?;
    let number = |at: usize| fields.get(at)?.parse().ok();
    Some(Kin {
        pid,
        parent: number(1)?,
        group: number(2)?,
    })
}

/// Asks everything to end that this process started, as Ctrl-C at a terminal would: cargo, compilers, tests, builds of
/// images. Daemons are in groups of their own and stay.
pub fn end_children() {
    let Some(me) = i32::try_from(std::process::id()).ok().and_then(kin) else {
        return;
    };
    let all: Vec<Kin> = all().into_iter().filter_map(kin).collect();
    for pid in descendants(me, &all) {
        signal(pid, "TERM");
    }
}

/// In its own process group. Parents come first, or they would start something in place of what ended.
fn descendants(of: Kin, all: &[Kin]) -> Vec<i32> {
    let mut found = vec![of.pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = all.iter().filter(|kin| kin.parent == parent && kin.group == of.group);
        found.extend(children.map(|kin| kin.pid));
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_read_past_odd_names_and_zombies_are_dead() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0";
        assert_eq!(start_time_in(line), Some(4711));
        assert_eq!(start_time_in(&line.replace(" S ", " Z ")), None);
    }

    #[test]
    fn what_was_started_ends_parents_first_and_daemons_stay() {
        let kin = |pid, parent, group| Kin { pid, parent, group };
        // Cargo 5 runs tests 9, which run a server in a group of its own; 6 is a daemon; 7 is somebody else's.
        let all = [
            kin(4, 1, 4),
            kin(9, 5, 4),
            kin(5, 4, 4),
            kin(10, 9, 10),
            kin(11, 10, 10),
            kin(6, 4, 6),
            kin(7, 1, 4),
        ];
        assert_eq!(descendants(all[0], &all), [5, 9]);
    }

    #[test]
    fn only_listening_sockets_of_the_very_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 010012C6:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
            1: 010012C6:1388 0B0012C6:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1\n\
            2: 0100007F:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0\n";
        assert_eq!(sockets_in(table, 5000), ["socket:[4711]"]);
    }

    #[test]
    fn a_listener_is_known_by_its_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listens(i32::try_from(std::process::id()).unwrap(), port));
        assert!(!listens(1, port));
    }

    #[test]
    fn a_record_of_a_reused_pid_is_not_alive() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records {
            folder: folder.path().to_path_buf(),
        };
        let me = i32::try_from(std::process::id()).unwrap();
        let mut record = Record {
            pid: me,
            started: start_time(me).unwrap(),
            digest: 1,
        };
        std::fs::write(records.file("me"), serde_json::to_vec(&record).unwrap()).unwrap();
        assert_eq!(records.alive("me").unwrap().digest, 1);
        record.started += 1;
        std::fs::write(records.file("me"), serde_json::to_vec(&record).unwrap()).unwrap();
        assert!(records.alive("me").is_none());
        assert_eq!(records.names(), ["me"]);
    }
}
