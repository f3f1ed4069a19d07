//! The one base image, Debian 13 without documentation, under the name every Containerfile starts from.
//! In: a builder. Out: that name in its store. Where mmdebstrap and Debian's keys are installed it is made here, from
//! Debian's signed packages; elsewhere the builder pulls the published one of the same name. Its packages cannot be
//! pinned to a day: Debian's archive keeps only the newest of a release.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::builder::Builder;
use super::source::Hash;
use crate::command;

pub const NAME: &str = "debian:trixie-slim";

const RELEASE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What the published slim image leaves out as well.
const LEFT_OUT: &[&str] = &[
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
];

/// Files that would carry this machine's name and resolver into every image.
const NOT_OURS: &str = r#"rm -f "$1/etc/resolv.conf" "$1/etc/hostname""#;

/// Makes the base unless the store has one made the same way.
pub fn ensure(builder: &Builder, work: &Path, log: &Path) -> Result<()> {
    if !Path::new(KEYRING).is_file() || !command::succeeds(Command::new("mmdebstrap").arg("--version")) {
        return Ok(());
    }
    let mark = work.join("base-made");
    let wanted = Hash::new().text(&recipe_text()).text(builder.name()).short();
    let made = std::fs::read_to_string(&mark).is_ok_and(|text| text == wanted);
    if made && builder.has(&builder.base_reference()) {
        return Ok(());
    }
    let folder = tempfile::Builder::new().prefix("base-").tempdir_in(work)?;
    let archive = folder.path().join("trixie.tar");
    super::twice(log, || command::logged(mmdebstrap().arg(RELEASE).arg(&archive), log))?;
    builder.import(&archive, &builder.base_reference(), log)?;
    std::fs::write(&mark, wanted)?;
    Ok(())
}

/// All that decides what the base holds.
pub fn recipe_text() -> String {
    let command = mmdebstrap();
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    format!("{RELEASE} {}", words.join(" "))
}

fn mmdebstrap() -> Command {
    let mut command = Command::new("mmdebstrap");
    // With a fixed time the same packages give the same layer, which registry and nodes then keep once.
    command
        .env("SOURCE_DATE_EPOCH", "0")
        .args(["--quiet", "--variant=minbase"])
        .arg(format!("--keyring={KEYRING}"));
    for option in LEFT_OUT {
        command.arg(format!("--dpkgopt={option}"));
    }
    command
        .arg(r#"--aptopt=Acquire::Retries "3""#)
        .arg(format!("--customize-hook={NOT_OURS}"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_names_release_and_exclusions_but_no_place_on_this_machine() {
        let text = recipe_text();
        assert!(
            text.starts_with("trixie ") && text.contains("path-exclude=/usr/share/doc/*"),
            "{text}"
        );
        assert!(!text.contains("/tmp") && !text.contains("http"), "{text}");
    }
}
