//! What a registry holds, asked through its HTTP interface.
//! In: a reference. Out: the layers and sizes behind a tag, or nothing. Must not push, and must not fail a build: a
//! registry that does not answer us (credentials, for one) is pushed to again, which copies only what it lacks.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use super::recipe;
use crate::command;

const ACCEPT: &str =
    "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Manifest {
    pub layers: Vec<Layer>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Layer {
    pub digest: String,
    pub size: u64,
}

/// The manifest behind a tag, when the registry shows it.
pub fn manifest(registry: &str, plain_http: bool, name: &str, key: &str) -> Option<Manifest> {
    let scheme = if plain_http { "http" } else { "https" };
    let repository = recipe::repository(Some(registry), name);
    let address = format!("{scheme}://{}/v2/{repository}/manifests/{key}", recipe::host(registry));
    let mut asked = Command::new("curl");
    asked.args([
        "--silent",
        "--show-error",
        "--fail",
        "--noproxy",
        "*",
        "--max-time",
        "10",
        "--header",
        ACCEPT,
    ]);
    let text = command::output(asked.arg(address)).ok()?;
    serde_json::from_str(&text).ok()
}

/// Bytes of all layers, each counted once.
pub fn bytes<'a>(manifests: impl IntoIterator<Item = &'a Manifest>) -> u64 {
    let layers = manifests.into_iter().flat_map(|manifest| &manifest.layers);
    layers
        .map(|layer| (&layer.digest, layer.size))
        .collect::<BTreeMap<_, _>>()
        .values()
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_layer_counts_once() {
        let manifest = |layers: &[(&str, u64)]| Manifest {
            layers: layers
                .iter()
                .map(|(digest, size)| Layer {
                    digest: (*digest).into(),
                    size: *size,
                })
                .collect(),
        };
        let all = [
            manifest(&[("base", 40), ("postgres", 50)]),
            manifest(&[("base", 40), ("redis", 2)]),
        ];
        assert_eq!(bytes(&all), 92);
    }
}
