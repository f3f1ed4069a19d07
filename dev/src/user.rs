//! The user who called `./shop` through sudo. In: what sudo says in the environment. Out: commands that run as that
//! user, files and folders that belong to them. Without sudo everything is the caller's anyway. Must not decide what
//! needs root.

use std::io::{ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

fn behind_sudo() -> Option<User> {
    let number = |name: &str| std::env::var(name).ok();
    named(number("SUDO_UID").as_deref(), number("SUDO_GID").as_deref())
}

fn named(uid: Option<&str>, gid: Option<&str>) -> Option<User> {
    let number = |text: Option<&str>| text?.parse().ok();
    Some(User {
        uid: number(uid)?,
        gid: number(gid)?,
    })
}

/// The program as the user, not as root.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some(User { uid, gid }) = behind_sudo() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Makes a file or folder the user's.
pub fn give(path: &Path) -> Result<()> {
    let Some(User { uid, gid }) = behind_sudo() else {
        return Ok(());
    };
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).with_context(|| format!("cannot give away {}", path.display()))
}

/// Makes a folder with those above it; what is new is the user's.
pub fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
    }
    match std::fs::create_dir(folder) {
        Ok(()) => give(folder),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot make {}", folder.display())),
    }
}

/// A file that nobody but the user reads. It appears under its name only when it is complete.
pub fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    let folder = file.parent().context("a file lies in a folder")?;
    let mut partial = tempfile::NamedTempFile::new_in(folder)?;
    partial.write_all(content)?;
    give(partial.path())?;
    partial
        .persist(file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_user_has_both_numbers() {
        assert_eq!(named(Some("1000"), Some("100")), Some(User { uid: 1000, gid: 100 }));
        assert_eq!(named(Some("1000"), None), None);
        assert_eq!(named(Some(""), Some("100")), None);
    }

    #[test]
    fn a_private_file_replaces_one_that_others_could_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b/kubeconfig");
        make_folder(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "old").unwrap();
        write_private(&file, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
