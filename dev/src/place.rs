//! Where things lie. In: the environment, read once by `main`. Out: paths, nothing else.
//! `.shop` holds the state of this checkout, the cache outlives checkouts, `/run/shop-operator` holds sockets, process
//! records and the owner's name, so that a second checkout finds the first one even when its folder is gone.
//! Must not create or delete anything.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The one folder that every checkout on a machine shares while a cluster runs.
pub const RUNTIME: &str = "/run/shop-operator";

/// Where nodes lie whose checkout has too long a path, in a folder for each checkout.
pub const FAR: &str = "/var/lib/shop-operator";

/// Longest node folder under which the kubelet's sockets still fit into 107 bytes.
const NODES_LIMIT: usize = 60;

#[derive(Clone, Debug)]
pub struct Place {
    pub checkout: PathBuf,
    pub cache: PathBuf,
}

impl Place {
    /// `SHOP_CHECKOUT` is set by the `shop` script; without it the current folder or a parent must hold the script.
    pub fn find() -> Result<Place> {
        let checkout = match std::env::var_os("SHOP_CHECKOUT") {
            Some(path) => PathBuf::from(path),
            None => {
                let here = std::env::current_dir().context("the current folder cannot be read")?;
                match here.ancestors().find(|folder| folder.join("dev/Cargo.toml").is_file()) {
                    Some(folder) => folder.to_path_buf(),
                    None => bail!(
                        "{} is not inside a checkout: run ./shop from its folder",
                        here.display()
                    ),
                }
            }
        };
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let set = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = set("SHOP_CACHE")
            .or_else(|| {
                set("XDG_CACHE_HOME")
                    .or_else(home)
                    .map(|base| base.join("shop-operator"))
            })
            .context("neither SHOP_CACHE, XDG_CACHE_HOME nor HOME is set: set one")?;
        Ok(Place { checkout, cache })
    }

    pub fn state(&self) -> PathBuf {
        self.checkout.join(".shop")
    }

    pub fn logs(&self) -> PathBuf {
        self.state().join("logs")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.state().join("kubeconfig")
    }

    pub fn bin(&self) -> PathBuf {
        self.state().join("bin")
    }

    pub fn pki(&self) -> PathBuf {
        self.state().join("pki")
    }

    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Image layers, kubelet folders and volumes of the nodes.
    pub fn nodes(&self) -> PathBuf {
        nodes_below(&self.state())
    }

    /// Where this checkout's nodes lie when its path is too long.
    pub fn far(&self) -> PathBuf {
        far_from(&self.state())
    }

    /// Sockets and mounts of one node: short names, gone after a restart of the machine.
    pub fn node_runtime(&self, node: &str) -> PathBuf {
        Path::new(RUNTIME).join(node)
    }
}

fn nodes_below(state: &Path) -> PathBuf {
    let nodes = state.join("nodes");
    if nodes.as_os_str().len() <= NODES_LIMIT {
        nodes
    } else {
        far_from(state).join("nodes")
    }
}

fn far_from(state: &Path) -> PathBuf {
    let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Path::new(FAR).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_lie_in_the_checkout_unless_its_path_is_too_long_for_sockets() {
        assert_eq!(
            nodes_below(Path::new("/srv/shop/.shop")),
            Path::new("/srv/shop/.shop/nodes")
        );
        let deep = |name: &str| nodes_below(&PathBuf::from(format!("/{}{name}/.shop", "deep/".repeat(20))));
        assert!(deep("a").starts_with(FAR) && deep("a").as_os_str().len() <= NODES_LIMIT);
        assert_ne!(deep("a"), deep("b"));
    }
}
