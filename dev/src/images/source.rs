//! What a program is made of, as one short digest.
//! In: files and the workspace's manifest. Out: digests that are the same in every checkout with the same content:
//! no absolute path, no time, no owner goes in. Must not compile or write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::recipe::Program;
use crate::command;
use crate::user;

/// Folders of a crate that never reach its program.
const NOT_COMPILED: &[&str] = &["tests", "benches", "snapshots", "target"];

/// Sixteen hexadecimal digits are enough: it names a few hundred things, not an adversary's.
const DIGITS: usize = 16;

#[derive(Clone)]
pub struct Hash(Sha256);

impl Hash {
    pub fn new() -> Hash {
        Hash(Sha256::new())
    }

    /// Every piece goes in with its length, so that two pieces never read as one.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Hash {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Hash {
        self.bytes(text.as_bytes())
    }

    /// Names and contents of all files below `root`, in a fixed order.
    pub fn tree(&mut self, root: &Path) -> Result<&mut Hash> {
        let mut files = Vec::new();
        collect(root, root, &mut files)?;
        files.sort();
        for file in files {
            let content = std::fs::read(root.join(&file)).with_context(|| format!("cannot read {}", file.display()))?;
            self.text(&file.to_string_lossy()).bytes(&content);
        }
        Ok(self)
    }

    pub fn short(&self) -> String {
        let digest = self.0.clone().finalize();
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.chars().take(DIGITS).collect()
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_COMPILED.contains(&name.as_str()) {
                collect(root, &path, files)?;
            }
        } else if !name.starts_with('.') && !name.ends_with('~') {
            files.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for a normal one.
    kind: Option<String>,
    /// Set for crates of this workspace.
    path: Option<PathBuf>,
}

/// The key of each program: its crate and those of the workspace it uses, the lock file, the compiler.
pub fn program_keys(checkout: &Path, programs: &[Program]) -> Result<BTreeMap<&'static str, String>> {
    let mut asked = user::command("cargo");
    asked
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(checkout);
    let metadata: Metadata =
        serde_json::from_str(&command::output(&mut asked)?).context("cargo metadata changed its words")?;
    let compiler = command::output(user::command("rustc").arg("-vV").current_dir(checkout))?;
    let mut common = Hash::new();
    common
        .text(&compiler)
        .text(&std::env::var("RUSTFLAGS").unwrap_or_default());
    for file in ["Cargo.lock", "Cargo.toml"] {
        common.bytes(&std::fs::read(checkout.join(file)).with_context(|| format!("cannot read {file}"))?);
    }
    programs
        .iter()
        .map(|program| Ok((program.binary, one_key(&metadata, common.clone(), program)?)))
        .collect()
}

fn one_key(metadata: &Metadata, mut hash: Hash, program: &Program) -> Result<String> {
    let crates = closure(&metadata.packages, program.package);
    hash.text(program.binary);
    for package in metadata
        .packages
        .iter()
        .filter(|package| crates.contains(package.name.as_str()))
    {
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        hash.text(&package.name).tree(folder)?;
    }
    Ok(hash.short())
}

/// The crate and the workspace's crates it is compiled from; what only its tests use stays out.
fn closure<'a>(packages: &'a [Package], root: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(name) = open.pop() {
        let uses = packages
            .iter()
            .filter(|package| package.name == name)
            .flat_map(|package| &package.dependencies);
        for used in uses.filter(|used| used.path.is_some() && used.kind.as_deref() != Some("dev")) {
            if found.insert(&used.name) {
                open.push(&used.name);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[(&str, Option<&str>, bool)]) -> Package {
        let dependencies = uses
            .iter()
            .map(|(name, kind, ours)| Dependency {
                name: (*name).into(),
                kind: kind.map(Into::into),
                path: ours.then(|| PathBuf::from("x")),
            })
            .collect();
        Package {
            name: name.into(),
            manifest_path: PathBuf::from("x/Cargo.toml"),
            dependencies,
        }
    }

    #[test]
    fn a_program_is_made_of_its_crate_and_what_that_uses_except_for_tests() {
        let packages = [
            package(
                "order",
                &[
                    ("contract", None, true),
                    ("testbed", Some("dev"), true),
                    ("serde", None, false),
                ],
            ),
            package("contract", &[("generated", Some("build"), true)]),
            package("generated", &[]),
            package("testbed", &[]),
            package("user", &[("contract", None, true)]),
        ];
        let found: Vec<&str> = closure(&packages, "order").into_iter().collect();
        assert_eq!(found, ["contract", "generated", "order"]);
    }

    #[test]
    fn a_tree_is_its_names_and_contents_wherever_it_lies() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let digest = |folder: &Path| Hash::new().tree(folder).unwrap().short();
        for folder in [one.path(), other.path()] {
            std::fs::create_dir_all(folder.join("src/snapshots")).unwrap();
            std::fs::write(folder.join("src/main.rs"), "fn main() {}").unwrap();
        }
        std::fs::write(other.path().join("src/snapshots/a.snap"), "what a test expects").unwrap();
        assert_eq!(digest(one.path()), digest(other.path()));
        std::fs::write(other.path().join("src/main.rs"), "fn main() {\n}").unwrap();
        assert_ne!(digest(one.path()), digest(other.path()));
        std::fs::rename(other.path().join("src/main.rs"), other.path().join("src/lib.rs")).unwrap();
        std::fs::write(other.path().join("src/lib.rs"), "fn main() {}").unwrap();
        assert_ne!(digest(one.path()), digest(other.path()));
    }

    #[test]
    fn two_pieces_never_read_as_one() {
        assert_ne!(
            Hash::new().text("ab").text("c").short(),
            Hash::new().text("a").text("bc").short()
        );
    }
}
