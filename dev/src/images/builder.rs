//! The program that builds images: buildah, else podman, else docker.
//! In: a build context with its Containerfile. Out: an image in the builder's store, or in a registry.
//! Must not know which images there are. Buildah keeps its store in our cache, plain copies of files: no mount is left
//! behind by an interrupted build, and any file system will do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::debian;
use crate::command;
use crate::failure::Failure;

/// Where Debian and its relatives keep the certificates this machine trusts.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builder {
    Buildah { store: PathBuf },
    Podman,
    Docker,
}

impl Builder {
    pub fn find(work: &Path) -> Result<Builder> {
        let works = |program: &str| command::succeeds(Command::new(program).arg("version"));
        if works("buildah") {
            return Ok(Builder::Buildah {
                store: work.join("store"),
            });
        }
        if works("podman") {
            return Ok(Builder::Podman);
        }
        if works("docker") {
            return Ok(Builder::Docker);
        }
        Err(Failure::new("nothing here builds images")
            .way_out("install buildah, podman or docker")
            .into())
    }

    pub fn name(&self) -> &'static str {
        match self {
            Builder::Buildah { .. } => "buildah",
            Builder::Podman => "podman",
            Builder::Docker => "docker",
        }
    }

    /// The name under which `FROM debian:trixie-slim` finds an image that was made here.
    pub fn base_reference(&self) -> String {
        match self {
            Builder::Buildah { .. } | Builder::Podman => format!("localhost/{}", debian::NAME),
            Builder::Docker => debian::NAME.to_string(),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.name());
        if let Builder::Buildah { store } = self {
            command
                .arg("--root")
                .arg(store.join("root"))
                .arg("--runroot")
                .arg(store.join("run"));
            command.args(["--storage-driver", "vfs"]);
        }
        command
    }

    pub fn has(&self, reference: &str) -> bool {
        let mut command = self.command();
        match self {
            Builder::Buildah { .. } => command.args(["inspect", "--type", "image", reference]),
            Builder::Podman | Builder::Docker => command.args(["image", "inspect", reference]),
        };
        command::succeeds(&mut command)
    }

    /// Takes up what an interrupted build left.
    pub fn tidy(&self, log: &Path) -> Result<()> {
        match self {
            Builder::Buildah { .. } => command::logged(self.command().args(["rm", "--all"]), log),
            Builder::Podman | Builder::Docker => Ok(()),
        }
    }

    /// A root file system in a tar archive becomes an image.
    pub fn import(&self, archive: &Path, reference: &str, log: &Path) -> Result<()> {
        if matches!(self, Builder::Podman | Builder::Docker) {
            return command::logged(self.command().arg("import").arg(archive).arg(reference), log);
        }
        let container = command::output(self.command().args(["from", "scratch"]))?
            .trim()
            .to_string();
        if container.is_empty() {
            bail!("buildah named no container");
        }
        command::logged(
            self.command()
                .args(["add", "--quiet", &container])
                .arg(archive)
                .arg("/"),
            log,
        )?;
        command::logged(self.command().args(["config", "--cmd", "/bin/sh", &container]), log)?;
        command::logged(
            self.command()
                .args(["commit", "--quiet", "--rm", &container, reference]),
            log,
        )
    }

    pub fn build(&self, context: &Path, reference: &str, log: &Path) -> Result<()> {
        command::logged(&mut self.build_command(context, reference), log)
    }

    fn build_command(&self, context: &Path, reference: &str) -> Command {
        let mut command = self.command();
        command.arg("build");
        match self {
            Builder::Buildah { .. } => {
                // No network or process namespaces are needed, and layers of single steps are not kept.
                command.args(["--isolation", "chroot", "--format", "oci"]);
                if self.has(&self.base_reference()) {
                    command.arg("--pull=never");
                }
            }
            Builder::Podman => {
                command.args(["--format", "oci"]);
            }
            Builder::Docker => {}
        }
        if Path::new(CERTIFICATES).is_file() {
            command
                .arg("--secret")
                .arg(format!("id=certificates,src={CERTIFICATES}"));
        }
        command
            .arg("--file")
            .arg(context.join("Containerfile"))
            .args(["--tag", reference])
            .arg(context);
        command
    }

    /// `plain_http` is for the embedded registry alone; docker allows it by its own configuration.
    pub fn push(&self, local: &str, remote: &str, plain_http: bool, log: &Path) -> Result<()> {
        if self == &Builder::Docker {
            command::logged(self.command().args(["tag", local, remote]), log)?;
            return command::logged(self.command().args(["push", "--quiet", remote]), log);
        }
        let mut command = self.command();
        command.args(["push", "--quiet"]);
        if plain_http {
            command.arg("--tls-verify=false");
        }
        command::logged(command.arg(local).arg(format!("docker://{remote}")), log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn each_builder_is_told_file_name_and_folder() {
        let context = Path::new("images/redis");
        for builder in [Builder::Podman, Builder::Docker] {
            let words = words(&builder.build_command(context, "localhost/shop/redis:k"));
            assert_eq!(words[0], "build");
            let end = [
                "--file",
                "images/redis/Containerfile",
                "--tag",
                "localhost/shop/redis:k",
                "images/redis",
            ];
            assert!(words.ends_with(&end.map(String::from)), "{words:?}");
        }
    }

    #[test]
    fn buildah_keeps_its_store_where_it_is_told() {
        let builder = Builder::Buildah {
            store: PathBuf::from("cache/images/store"),
        };
        let words = words(&builder.command());
        assert_eq!(words[..2], ["--root", "cache/images/store/root"]);
    }
}
