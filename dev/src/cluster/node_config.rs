//! What containerd, kubelet, kube-proxy and the pod network of one node are told. Pure: texts from paths and figures.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::address::{DNS, Node, PODS, REGISTRY};

/// Everything a node's configuration is made of.
pub struct Setup {
    pub node: Node,
    pub count: u8,
    /// Lasting state of the node.
    pub root: PathBuf,
    /// Sockets and mounts of the node.
    pub runtime: PathBuf,
    pub pki: PathBuf,
    /// Folder of containerd's shim.
    pub resolv_conf: PathBuf,
    pub pause_image: String,
    pub machine: Machine,
}

/// What the machine has.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    pub cpus: u64,
    pub memory_bytes: u64,
}

/// The share of the machine kept for the control plane and the developer's own work.
const HOST_SHARE: f64 = 0.15;

/// What a kubelet must hold back, as each of them sees the whole machine: (CPU in millicores, memory in MiB).
pub fn reserved(machine: Machine, count: u8) -> (u64, u64) {
    let keep = |whole: u64, share: f64| whole - (whole as f64 * (1.0 - share) / f64::from(count)) as u64;
    (
        keep(machine.cpus * 1000, 0.0),
        keep(machine.memory_bytes >> 20, HOST_SHARE),
    )
}

impl Setup {
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("containerd.sock")
    }

    pub fn containerd(&self) -> String {
        let quoted = |path: PathBuf| json!(path).to_string();
        format!(
            r#"version = 3
root = {root}
state = {state}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp", "io.containerd.nri.v1.nri"]
[grpc]
address = {socket}
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = {pause}
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = {registries}
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
tolerate_missing_hugetlb_controller = true
# By default every container is asked every second, for figures that this kubelet takes from the kernel itself.
stats_collect_period = "1m"
stats_retention_period = "5m"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"]
conf_dir = {cni}
"#,
            root = quoted(self.root.join("containerd")),
            state = quoted(self.runtime.join("containerd")),
            socket = quoted(self.socket()),
            pause = json!(self.pause_image),
            registries = quoted(self.root.join("registries")),
            cni = quoted(self.root.join("cni")),
        )
    }

    /// The cluster's registry speaks plain HTTP; every other one is reached as usual.
    pub fn registry_hosts(&self) -> (String, String) {
        let text = format!(
            "server = \"http://{REGISTRY}\"\n[host.\"http://{REGISTRY}\"]\ncapabilities = [\"pull\", \"resolve\"]\n"
        );
        (format!("{REGISTRY}/hosts.toml"), text)
    }

    pub fn pod_network(&self) -> Value {
        json!({
            "cniVersion": "1.0.0",
            "name": "shop",
            "plugins": [
                {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
                 "ipam": {"type": "host-local", "dataDir": self.runtime.join("ipam"),
                          "ranges": [[{"subnet": self.node.pods()}]], "routes": [{"dst": "0.0.0.0/0"}]}},
                {"type": "portmap", "capabilities": {"portMappings": true}},
            ],
        })
    }

    pub fn kubelet(&self) -> Value {
        let (cpu, memory) = reserved(self.machine, self.count);
        let name = self.node.name();
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": self.pki.join("ca.crt")}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": self.pki.join(format!("{name}.crt")),
            "tlsPrivateKeyFile": self.pki.join(format!("{name}.key")),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": format!("/{}", self.node.handle()),
            "failCgroupV1": false,
            "failSwapOn": false,
            "clusterDNS": [DNS],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": format!("unix://{}", self.socket().display()),
            "resolvConf": self.resolv_conf,
            "podLogsDir": self.root.join("pod-logs"),
            "volumePluginDir": self.root.join("volume-plugins"),
            "systemReserved": {"cpu": format!("{cpu}m"), "memory": format!("{memory}Mi")},
            "maxPods": 110,
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {"memory.available": "200Mi", "nodefs.available": "3%", "imagefs.available": "3%"},
            // Quick answers matter more here than a quiet API server.
            "nodeStatusUpdateFrequency": "5s",
            "registryPullQPS": 0,
            "serializeImagePulls": false,
            "maxParallelImagePulls": 3,
            "shutdownGracePeriod": "0s",
        })
    }

    pub fn kube_proxy(&self) -> Value {
        json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": self.pki.join("proxy.conf")},
            "clusterCIDR": PODS,
            "hostnameOverride": self.node.name(),
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "conntrack": {"maxPerCore": 0},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_nodes_together_offer_the_machine_once() {
        let machine = Machine {
            cpus: 2,
            memory_bytes: 24 << 30,
        };
        for count in [1, 3, 5] {
            let (cpu, memory) = reserved(machine, count);
            let offered = |whole: u64, kept: u64| (whole - kept) * u64::from(count);
            assert!(
                (1990..=2000).contains(&offered(2000, cpu)),
                "{count} nodes: {cpu}m kept"
            );
            let memory = offered(24 << 10, memory);
            assert!(
                (20_000..=(24 << 10)).contains(&memory),
                "{count} nodes offer {memory} MiB"
            );
        }
    }

    #[test]
    fn paths_are_quoted() {
        let setup = Setup {
            node: Node(1),
            count: 3,
            root: "/a \"b\"/nodes/node1".into(),
            runtime: "/run/x/node1".into(),
            pki: "/pki".into(),
            resolv_conf: "/etc/resolv.conf".into(),
            pause_image: "r/pause:1".into(),
            machine: Machine {
                cpus: 2,
                memory_bytes: 1 << 34,
            },
        };
        assert!(
            setup
                .containerd()
                .contains(r#"root = "/a \"b\"/nodes/node1/containerd""#)
        );
        assert_eq!(setup.kubelet()["cgroupRoot"], "/shop-node1");
    }
}
