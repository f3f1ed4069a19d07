//! Where a server of a test may live: a loopback address of its own, free ports there, a private folder, an account.
//!
//! All of 127.0.0.0/8 is loopback on Linux, so that a random address makes collisions rare; the starts retry the rest.

use anyhow::{Context, Result, bail};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Redis expects its cluster bus at its port plus this.
pub(crate) const BUS_OFFSET: u16 = 10_000;

/// Unpredictable enough for names and passwords of tests.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

pub(crate) fn password() -> String {
    format!("{:016x}{:016x}", random(), random())
}

pub(crate) fn address() -> Ipv4Addr {
    let [a, b, c, ..] = random().to_le_bytes();
    Ipv4Addr::new(127, 16 + a % 200, b, 1 + c % 250)
}

/// `count` ports that are free on `ip` now. Held together while choosing, so that they differ.
pub(crate) fn free_ports(ip: Ipv4Addr, count: usize) -> Result<Vec<u16>> {
    let held = (0..count)
        .map(|_| TcpListener::bind((ip, 0)))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("cannot find {count} free ports on {ip}"))?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

/// A port that is free, with its cluster bus, on each of `ips`.
pub(crate) fn free_redis_port(ips: &[Ipv4Addr]) -> Result<u16> {
    for _ in 0..200 {
        // Below the range the kernel hands out for outgoing connections.
        let port = 12_000 + (random() % 8_000) as u16;
        let free = |ip: &Ipv4Addr| {
            [port, port + BUS_OFFSET]
                .iter()
                .all(|p| TcpListener::bind((*ip, *p)).is_ok())
        };
        if ips.iter().all(free) {
            return Ok(port);
        }
    }
    bail!("no port is free together with port + {BUS_OFFSET} on {ips:?}")
}

/// An account of the system, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// The account a server has to run as: `name` when this process is root (servers refuse root), else this process's own.
pub(crate) fn account(name: &str) -> Result<Option<Account>> {
    let own = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let euid = own
        .lines()
        .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
    if euid != Some("0") {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let number = |field: Option<&str>| field.and_then(|f| f.parse().ok());
    for line in passwd.lines() {
        let mut fields = line.split(':');
        if fields.next() == Some(name) {
            let (uid, gid) = (number(fields.nth(1)), number(fields.next()));
            let (Some(uid), Some(gid)) = (uid, gid) else {
                bail!("the line of {name} in /etc/passwd is broken")
            };
            return Ok(Some(Account { uid, gid }));
        }
    }
    bail!("this process is root and there is no account {name:?}: install the Debian package that makes it")
}

/// A private folder that belongs to the account.
pub(crate) fn folder(what: &str, account: Option<Account>) -> Result<TempDir> {
    let base = Path::new("/tmp");
    let base = if base.is_dir() {
        base.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::Builder::new()
        .prefix(&format!("shop-test-{what}-"))
        .tempdir_in(&base)
        .with_context(|| format!("cannot make a folder in {}", base.display()))?;
    own(folder.path(), account)?;
    Ok(folder)
}

/// Writes a file the account may read.
pub(crate) fn write(path: &Path, text: &str, account: Option<Account>) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    own(path, account)
}

fn own(path: &Path, account: Option<Account>) -> Result<()> {
    let Some(Account { uid, gid }) = account else {
        return Ok(());
    };
    std::os::unix::fs::chown(path, Some(uid), Some(gid))
        .with_context(|| format!("cannot give {} to uid {uid}", path.display()))
}

/// The first of `candidates` that is an executable file, or an error that names the Debian package.
pub(crate) fn program(candidates: &[&str], package: &str) -> Result<PathBuf> {
    candidates
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .with_context(|| format!("none of {candidates:?} exists: install the Debian package {package}"))
}
