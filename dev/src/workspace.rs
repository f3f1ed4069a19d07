//! The copy of the checkout that cargo compiles. Cargo knows a changed file by its time and takes every checkout for the
//! same workspace, but the folder of build products is shared by all of them: a fresh clone would be compiled anew, and
//! what was edited before another checkout compiled would not be compiled at all. In the copy a file's time changes
//! with its content, whoever it came from.
//! In: a checkout and the cache. Out: cargo in a folder with the checkout's content, which stays so until dropped.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::user;

/// State, build products, history: not compiled, and large.
const NOT_SOURCES: &[&str] = &[".git", ".shop", "target"];

pub struct Workspace {
    folder: PathBuf,
    target: PathBuf,
    _lock: File,
}

impl Workspace {
    /// Waits while another checkout compiles or tests.
    pub fn of(checkout: &Path, cache: &Path) -> Result<Workspace> {
        let workspace = Workspace {
            folder: cache.join("workspace"),
            target: cache.join("target"),
            _lock: lock(cache)?,
        };
        let real = |folder: &Path| {
            folder
                .canonicalize()
                .with_context(|| format!("cannot find {}", folder.display()))
        };
        follow(&real(checkout)?, &workspace.folder, &real(cache)?)?;
        Ok(workspace)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where cargo puts what it builds for release.
    pub fn released(&self, binary: &str) -> PathBuf {
        self.target.join("release").join(binary)
    }

    pub fn cargo(&self) -> Command {
        let mut cargo = user::command("cargo");
        cargo
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never");
        cargo
    }
}

fn lock(cache: &Path) -> Result<File> {
    user::make_folder(cache)?;
    let path = cache.join("workspace.lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    user::give(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            eprintln!("shop: another ./shop compiles or tests; waiting for it");
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
    .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Makes `copy` equal to `original`, touching only what differs. The cache may lie in the checkout.
fn follow(original: &Path, copy: &Path, cache: &Path) -> Result<()> {
    user::make_folder(copy)?;
    for name in names(copy)? {
        let (path, source) = (copy.join(&name), original.join(&name));
        if source.is_dir() != path.is_dir() || !source.exists() {
            remove(&path)?;
        }
    }
    for name in names(original)? {
        let (path, source) = (copy.join(&name), original.join(&name));
        if source == cache {
            continue;
        }
        if source.is_dir() {
            follow(&source, &path, cache)?;
        } else if source.is_file() && !same(&source, &path) {
            std::fs::copy(&source, &path).with_context(|| format!("cannot copy {}", source.display()))?;
            user::give(&path)?;
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name()));
    names
        .filter(|name| !matches!(name, Ok(name) if NOT_SOURCES.iter().any(|other| name == other)))
        .collect()
}

fn same(one: &Path, other: &Path) -> bool {
    let mode = |path: &Path| std::fs::metadata(path).ok().map(|about| about.permissions());
    mode(one) == mode(other) && std::fs::read(one).ok() == std::fs::read(other).ok()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    removed.with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn write(folder: &Path, name: &str, content: &str) {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn time(file: PathBuf) -> SystemTime {
        std::fs::metadata(file).unwrap().modified().unwrap()
    }

    #[test]
    fn another_checkout_with_the_same_content_changes_nothing() {
        let [one, other, cache] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        for checkout in [one.path(), other.path()] {
            write(checkout, "services/a/src/lib.rs", "fn a() {}");
            write(checkout, "Cargo.toml", "[workspace]");
        }
        let copied = || cache.path().join("workspace/services/a/src/lib.rs");
        drop(Workspace::of(one.path(), cache.path()).unwrap());
        let before = time(copied());
        drop(Workspace::of(other.path(), cache.path()).unwrap());
        assert_eq!(time(copied()), before);
    }

    #[test]
    fn what_differs_is_new_however_old_the_checkout_is() {
        let [one, other, cache] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        write(one.path(), "lib.rs", "one");
        write(other.path(), "lib.rs", "other");
        let old = SystemTime::UNIX_EPOCH;
        let file = File::options().write(true).open(other.path().join("lib.rs")).unwrap();
        file.set_modified(old).unwrap();
        drop(Workspace::of(one.path(), cache.path()).unwrap());
        let first = time(cache.path().join("workspace/lib.rs"));
        drop(Workspace::of(other.path(), cache.path()).unwrap());
        let copied = cache.path().join("workspace/lib.rs");
        assert_eq!(std::fs::read_to_string(&copied).unwrap(), "other");
        assert!(time(copied) >= first && first > old);
    }

    #[test]
    fn the_copy_has_what_the_checkout_has_and_no_more() {
        let [checkout, cache] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for name in [
            "kept.rs",
            "gone.rs",
            "folder/gone.rs",
            "file-then-folder",
            ".shop/kubeconfig",
            ".git/HEAD",
        ] {
            write(checkout.path(), name, "x");
        }
        drop(Workspace::of(checkout.path(), cache.path()).unwrap());
        std::fs::remove_file(checkout.path().join("gone.rs")).unwrap();
        std::fs::remove_dir_all(checkout.path().join("folder")).unwrap();
        std::fs::remove_file(checkout.path().join("file-then-folder")).unwrap();
        write(checkout.path(), "file-then-folder/x.rs", "x");
        let workspace = Workspace::of(checkout.path(), cache.path()).unwrap();
        let mut found = names(workspace.folder()).unwrap();
        found.sort();
        assert_eq!(found, ["file-then-folder", "kept.rs"]);
        assert!(workspace.folder().join("file-then-folder/x.rs").is_file());
    }

    #[test]
    fn the_cache_may_lie_in_the_checkout() {
        let checkout = tempfile::tempdir().unwrap();
        write(checkout.path(), "lib.rs", "x");
        let cache = checkout.path().join("cache");
        for _ in 0..2 {
            let workspace = Workspace::of(checkout.path(), &cache).unwrap();
            assert_eq!(names(workspace.folder()).unwrap(), ["lib.rs"]);
        }
    }
}
