//! One node: its files and its three daemons. Starting is idempotent; what runs with the same configuration is left alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::address::Node;
use super::cgroup::Cgroups;
use super::network;
use super::node_config::{Machine, Setup};
use crate::place::Place;
use crate::process::{Daemon, Records};
use crate::tools::{self, list};
use crate::wait::{self, Look};

/// What every node of one cluster shares.
pub struct Nodes<'a> {
    pub place: &'a Place,
    pub records: &'a Records,
    pub cgroups: &'a Cgroups,
    pub count: u8,
    pub pause_image: String,
    pub machine: Machine,
}

impl Nodes<'_> {
    fn setup(&self, node: Node) -> Setup {
        Setup {
            node,
            count: self.count,
            root: self.place.nodes().join(node.name()),
            runtime: self.place.node_runtime(&node.name()),
            pki: self.place.pki(),
            resolv_conf: resolv_conf(),
            pause_image: self.pause_image.clone(),
            machine: self.machine,
        }
    }

    /// Network, cgroup, files, and containerd answering on its socket.
    pub fn start_runtime(&self, node: Node) -> Result<()> {
        network::ensure_node(node, self.count)?;
        let join = self.cgroups.ensure(&node.handle())?;
        if self.cgroups.frozen(&node.handle()) {
            self.cgroups.freeze(&node.handle(), false)?;
        }
        let setup = self.setup(node);
        let config = write_files(&setup)?;
        let daemon = self.containerd(&setup, &join, config)?;
        if self.records.ensure(&daemon, &self.place.log(&daemon.name))? {
            self.records.stop(&kubelet_name(node), Duration::from_secs(10))?;
        }
        Ok(())
    }

    /// The kubelet ends at once without its runtime's socket, so that is waited for. True when it was (re)started.
    pub fn start_kubelet(&self, node: Node) -> Result<bool> {
        let join = self.cgroups.ensure(&node.handle())?;
        let setup = self.setup(node);
        let socket = setup.socket();
        let name = format!("containerd-{}", node.name());
        wait::until(&name, Duration::from_secs(30), Duration::from_millis(100), || {
            if self.records.alive(&name).is_none() {
                let log = self.place.log(&name);
                return Err(crate::failure::Failure::new(format!("{name} ended")).log(log).into());
            }
            Ok(match std::os::unix::net::UnixStream::connect(&socket) {
                Ok(_) => Look::Ready(()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        })?;
        let proxy = self.kube_proxy(&setup, &join)?;
        self.records.ensure(&proxy, &self.place.log(&proxy.name))?;
        let kubelet = self.kubelet(&setup, &join)?;
        self.records.ensure(&kubelet, &self.place.log(&kubelet.name))
    }

    pub fn runs(&self, node: Node) -> bool {
        daemon_names(node).iter().all(|name| self.records.alive(name).is_some())
    }

    fn daemon(&self, setup: &Setup, kind: &str, tool: &list::Tool, join: &Path, args: Vec<String>) -> Result<Daemon> {
        Ok(Daemon {
            name: format!("{kind}-{}", setup.node.name()),
            program: tools::path(self.place, tool)?,
            args,
            envs: Vec::new(),
            netns: Some(setup.node.handle()),
            join: join.to_path_buf(),
            config: String::new(),
        })
    }

    fn containerd(&self, setup: &Setup, join: &Path, config: String) -> Result<Daemon> {
        let file = setup.root.join("containerd.toml");
        let args = vec!["--config".into(), text(&file), "--log-level".into(), "warn".into()];
        let mut daemon = self.daemon(setup, "containerd", &list::CONTAINERD, join, args)?;
        daemon.config = config;
        // containerd finds its shim, and the shim finds runc, on the PATH.
        let shim = tools::path(self.place, &list::SHIM)?;
        let shim = shim.parent().context("a tool lies in a folder")?;
        daemon.envs.push((
            "PATH".into(),
            format!(
                "{}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
                shim.display()
            ),
        ));
        Ok(daemon)
    }

    fn kubelet(&self, setup: &Setup, join: &Path) -> Result<Daemon> {
        let name = setup.node.name();
        let args = vec![
            format!("--config={}", text(&setup.root.join("kubelet.json"))),
            format!("--kubeconfig={}", text(&setup.pki.join(format!("{name}.conf")))),
            format!("--hostname-override={name}"),
            format!("--node-ip={}", setup.node.address()),
            format!("--root-dir={}", text(&setup.root.join("kubelet"))),
            format!("--cert-dir={}", text(&setup.root.join("kubelet/pki"))),
            "--v=1".into(),
        ];
        let mut daemon = self.daemon(setup, "kubelet", &list::KUBELET, join, args)?;
        daemon.config = setup.kubelet().to_string();
        Ok(daemon)
    }

    fn kube_proxy(&self, setup: &Setup, join: &Path) -> Result<Daemon> {
        let args = vec![format!("--config={}", text(&setup.root.join("kube-proxy.json")))];
        let mut daemon = self.daemon(setup, "kube-proxy", &list::KUBE_PROXY, join, args)?;
        daemon.config = setup.kube_proxy().to_string();
        Ok(daemon)
    }
}

pub fn kubelet_name(node: Node) -> String {
    format!("kubelet-{}", node.name())
}

pub fn daemon_names(node: Node) -> [String; 3] {
    let name = node.name();
    [
        format!("containerd-{name}"),
        kubelet_name(node),
        format!("kube-proxy-{name}"),
    ]
}

/// All configuration files of the node; containerd's is returned.
fn write_files(setup: &Setup) -> Result<String> {
    let (hosts_file, hosts) = setup.registry_hosts();
    let containerd = setup.containerd();
    let files = [
        ("containerd.toml", containerd.clone()),
        ("cni/10-shop.conflist", setup.pod_network().to_string()),
        ("kubelet.json", setup.kubelet().to_string()),
        ("kube-proxy.json", setup.kube_proxy().to_string()),
        (&format!("registries/{hosts_file}"), hosts.clone()),
    ];
    for (name, text) in &files {
        let file = setup.root.join(name);
        let folder = file.parent().context("a file lies in a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    std::fs::create_dir_all(&setup.runtime)?;
    Ok(containerd + &hosts)
}

/// systemd-resolved's stub address means something else inside a pod; its full list does not.
fn resolv_conf() -> PathBuf {
    let full = PathBuf::from("/run/systemd/resolve/resolv.conf");
    if full.is_file() {
        full
    } else {
        PathBuf::from("/etc/resolv.conf")
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
