//! etcd, API server, controller manager, scheduler and registry as daemons of the host. Pure: commands, no starting.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use super::address::{API_PORT, ETCD_CLIENT, ETCD_PEER, HOST, REGISTRY, SERVICES};
use crate::place::Place;
use crate::process::Daemon;
use crate::tools::{self, list};
use crate::user;

pub const GROUP: &str = "shop-control";

fn daemon(place: &Place, tool: &list::Tool, join: &Path, args: Vec<String>) -> Result<Daemon> {
    Ok(Daemon {
        name: tool.name.to_string(),
        program: tools::path(place, tool)?,
        args,
        envs: vec![("OTEL_TRACES_EXPORTER".into(), "none".into())],
        netns: None,
        join: join.to_path_buf(),
        config: String::new(),
    })
}

/// Flags from pairs: `--name=value`.
fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

pub fn etcd(place: &Place, join: &Path) -> Result<Daemon> {
    let data = place.state().join("etcd");
    let args = flags(&[
        ("data-dir", &data.to_string_lossy()),
        ("listen-client-urls", ETCD_CLIENT),
        ("advertise-client-urls", ETCD_CLIENT),
        ("listen-peer-urls", ETCD_PEER),
        ("initial-advertise-peer-urls", ETCD_PEER),
        ("initial-cluster", &format!("default={ETCD_PEER}")),
        // Safe against killed processes, not against a power cut, which a test cluster need not survive.
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
    ]);
    daemon(place, &list::ETCD, join, args)
}

pub const AUDIT_POLICY: &str = include_str!("manifests/audit-policy.yaml");

pub fn audit_policy(place: &Place) -> PathBuf {
    place.state().join("audit-policy.yaml")
}

pub fn api_server(place: &Place, join: &Path) -> Result<Daemon> {
    let pki = place.pki();
    let file = |name: &str| pki.join(name).to_string_lossy().into_owned();
    let args = flags(&[
        ("etcd-servers", ETCD_CLIENT),
        ("service-cluster-ip-range", SERVICES),
        ("bind-address", HOST),
        ("advertise-address", HOST),
        ("secure-port", &API_PORT.to_string()),
        ("tls-cert-file", &file("apiserver.crt")),
        ("tls-private-key-file", &file("apiserver.key")),
        ("client-ca-file", &file("ca.crt")),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-account-key-file", &file("service-account.pub")),
        ("service-account-signing-key-file", &file("service-account.key")),
        ("authorization-mode", "Node,RBAC"),
        ("enable-admission-plugins", "NodeRestriction"),
        ("kubelet-certificate-authority", &file("ca.crt")),
        ("kubelet-client-certificate", &file("kubelet-client.crt")),
        ("kubelet-client-key", &file("kubelet-client.key")),
        ("kubelet-preferred-address-types", "InternalIP"),
        ("audit-policy-file", &audit_policy(place).to_string_lossy()),
        ("audit-log-path", &place.log("audit").to_string_lossy()),
        ("audit-log-maxsize", "20"),
        ("audit-log-maxbackup", "1"),
        // The host has no route to ClusterIPs, only to pods.
        ("enable-aggregator-routing", "true"),
        ("requestheader-client-ca-file", &file("ca.crt")),
        ("requestheader-allowed-names", "front-proxy-client"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("proxy-client-cert-file", &file("front-proxy.crt")),
        ("proxy-client-key-file", &file("front-proxy.key")),
    ]);
    daemon(place, &list::API_SERVER, join, args)
}

pub fn controller_manager(place: &Place, join: &Path) -> Result<Daemon> {
    let pki = place.pki();
    let file = |name: &str| pki.join(name).to_string_lossy().into_owned();
    let own = file("controller-manager.conf");
    let args = flags(&[
        ("kubeconfig", &own),
        ("authentication-kubeconfig", &own),
        ("authorization-kubeconfig", &own),
        ("service-account-private-key-file", &file("service-account.key")),
        ("root-ca-file", &file("ca.crt")),
        ("cluster-signing-cert-file", &file("ca.crt")),
        ("cluster-signing-key-file", &file("ca.key")),
        ("use-service-account-credentials", "true"),
        ("leader-elect", "false"),
        // A drill that cuts a node should not have to wait for the usual 50 s.
        ("node-monitor-grace-period", "20s"),
    ]);
    daemon(place, &list::CONTROLLER_MANAGER, join, args)
}

pub fn scheduler(place: &Place, join: &Path) -> Result<Daemon> {
    let own = place.pki().join("scheduler.conf");
    let own = own.to_string_lossy();
    let args = flags(&[
        ("kubeconfig", &own),
        ("authentication-kubeconfig", &own),
        ("authorization-kubeconfig", &own),
        ("leader-elect", "false"),
    ]);
    daemon(place, &list::SCHEDULER, join, args)
}

/// The registry's layers lie in the cache, so that a fresh checkout has nothing to push.
pub fn registry(place: &Place, join: &Path) -> Result<Daemon> {
    let config = json!({
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": true}},
        "storage": {
            "filesystem": {"rootdirectory": place.cache.join("registry")},
            "delete": {"enabled": true},
            "maintenance": {"uploadpurging": {"enabled": false}},
        },
        "http": {"addr": REGISTRY},
    });
    let file = place.state().join("registry.yaml");
    user::make_folder(&place.state())?;
    std::fs::write(&file, config.to_string())?;
    let mut daemon = daemon(
        place,
        &list::REGISTRY,
        join,
        vec!["serve".into(), file.to_string_lossy().into_owned()],
    )?;
    daemon.config = config.to_string();
    Ok(daemon)
}
