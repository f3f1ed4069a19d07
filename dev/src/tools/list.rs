//! Which programs are built. A table: nothing is decided here.

/// A program of the Go module dev/tools, or of one that it pins.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub package: &'static str,
    pub tags: &'static str,
    /// Link-time variables that carry the version.
    pub version_variables: &'static [&'static str],
}

const KUBERNETES_VERSION: &[&str] = &[
    "k8s.io/component-base/version.gitVersion",
    "k8s.io/component-base/version.gitMajor",
    "k8s.io/component-base/version.gitMinor",
    "k8s.io/component-base/version.gitTreeState",
    "k8s.io/client-go/pkg/version.gitVersion",
];

const fn kubernetes(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        tags: "",
        version_variables: KUBERNETES_VERSION,
    }
}

const fn plain(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        tags: "",
        version_variables: &[],
    }
}

const fn containerd(name: &'static str, package: &'static str) -> Tool {
    Tool {
        name,
        package,
        tags: "no_btrfs no_devmapper no_zfs no_aufs",
        version_variables: &[],
    }
}

pub static API_SERVER: Tool = kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver");
pub static CONTROLLER_MANAGER: Tool = kubernetes(
    "kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
);
pub static SCHEDULER: Tool = kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler");
pub static KUBELET: Tool = kubernetes("kubelet", "k8s.io/kubernetes/cmd/kubelet");
pub static KUBE_PROXY: Tool = kubernetes("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy");
pub static KUBECTL: Tool = kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl");
pub static ETCD: Tool = plain("etcd", "go.etcd.io/etcd/server/v3");
pub static CONTAINERD: Tool = containerd("containerd", "github.com/containerd/containerd/v2/cmd/containerd");
pub static SHIM: Tool = containerd(
    "containerd-shim-runc-v2",
    "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
);
pub static CTR: Tool = containerd("ctr", "github.com/containerd/containerd/v2/cmd/ctr");
pub static REGISTRY: Tool = plain("registry", "./registry");
pub static HELM: Tool = plain("helm", "helm.sh/helm/v3/cmd/helm");
pub static COREDNS: Tool = plain("coredns", "./coredns");
pub static METRICS_SERVER: Tool = plain("metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server");
pub static LOCAL_PATH: Tool = plain("local-path-provisioner", "github.com/rancher/local-path-provisioner");
pub static PAUSE: Tool = plain("pause", "./pause");
pub static VOLUME: Tool = plain("volume", "./volume");

/// What `--context` needs: someone else runs the cluster.
pub static CLIENTS: &[&Tool] = &[&KUBECTL, &HELM];

/// What the embedded cluster needs, the quick ones first.
pub static ALL: &[&Tool] = &[
    &PAUSE,
    &VOLUME,
    &ETCD,
    &SHIM,
    &CTR,
    &CONTAINERD,
    &REGISTRY,
    &SCHEDULER,
    &KUBE_PROXY,
    &KUBELET,
    &KUBECTL,
    &CONTROLLER_MANAGER,
    &API_SERVER,
    &HELM,
    &LOCAL_PATH,
    &METRICS_SERVER,
    &COREDNS,
];
