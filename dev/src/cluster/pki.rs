//! Keys and certificates of the embedded cluster, made once with openssl, and kubeconfigs for who holds one.
//! In: the folder and the nodes. Out: files. Existing ones are kept: a new authority would orphan every token.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::address::{API_SERVICE, HOST, MOST_NODES, Node, api_server};
use crate::command;

const DAYS: &str = "3650";

/// Who gets a certificate: file name, subject, subject alternative names.
struct Holder {
    name: String,
    subject: String,
    alternative: Option<String>,
}

impl Holder {
    fn client(name: &str, subject: &str) -> Holder {
        Holder {
            name: name.into(),
            subject: subject.into(),
            alternative: None,
        }
    }
}

fn holders() -> Vec<Holder> {
    let services = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc";
    let mut holders = vec![
        Holder {
            name: "apiserver".into(),
            subject: "/CN=kube-apiserver".into(),
            alternative: Some(format!(
                "IP:127.0.0.1,IP:{HOST},IP:{API_SERVICE},DNS:localhost,{services},DNS:kubernetes.default.svc.cluster.local"
            )),
        },
        Holder {
            name: "metrics-server".into(),
            subject: "/CN=metrics-server".into(),
            alternative: Some("DNS:metrics-server.kube-system.svc".into()),
        },
        Holder::client("admin", "/O=system:masters/CN=admin"),
        Holder::client("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
        Holder::client("controller-manager", "/CN=system:kube-controller-manager"),
        Holder::client("scheduler", "/CN=system:kube-scheduler"),
        Holder::client("proxy", "/CN=system:kube-proxy"),
        Holder::client("front-proxy", "/CN=front-proxy-client"),
    ];
    holders.extend(Node::all(MOST_NODES).map(|node| Holder {
        name: node.name(),
        subject: format!("/O=system:nodes/CN=system:node:{}", node.name()),
        alternative: Some(format!("DNS:{},IP:{}", node.name(), node.address())),
    }));
    holders
}

/// Makes what is missing; a file appears under its name only when it is complete.
pub fn ensure(folder: &Path, log: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let pki = Pki {
        folder: folder.to_path_buf(),
        log,
    };
    if !pki.file("ca.crt").is_file() {
        pki.key("ca.key")?;
        let request = [
            "req",
            "-x509",
            "-new",
            "-key",
            "ca.key",
            "-days",
            DAYS,
            "-subj",
            "/CN=shop-operator-dev",
        ];
        pki.openssl(&[&request[..], &["-out", "ca.crt.new"]].concat())?;
        pki.finish("ca.crt")?;
    }
    if !pki.file("service-account.pub").is_file() {
        pki.key("service-account.key")?;
        pki.openssl(&[
            "pkey",
            "-in",
            "service-account.key",
            "-pubout",
            "-out",
            "service-account.pub.new",
        ])?;
        pki.finish("service-account.pub")?;
    }
    for holder in holders() {
        pki.certificate(&holder)?;
        write_kubeconfig(&pki.file(&format!("{}.conf", holder.name)), folder, &holder.name)?;
    }
    Ok(())
}

struct Pki<'a> {
    folder: PathBuf,
    log: &'a Path,
}

impl Pki<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn openssl(&self, args: &[&str]) -> Result<()> {
        command::logged(Command::new("openssl").current_dir(&self.folder).args(args), self.log)
    }

    fn finish(&self, name: &str) -> Result<()> {
        std::fs::rename(self.file(&format!("{name}.new")), self.file(name))
            .with_context(|| format!("cannot place {name}"))
    }

    fn key(&self, name: &str) -> Result<()> {
        let partial = format!("{name}.new");
        self.openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &partial,
        ])?;
        self.finish(name)
    }

    fn certificate(&self, holder: &Holder) -> Result<()> {
        let Holder {
            name,
            subject,
            alternative,
        } = holder;
        if self.file(&format!("{name}.crt")).is_file() {
            return Ok(());
        }
        let (key, request, extensions) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.ext"));
        let partial = format!("{name}.crt.new");
        self.key(&key)?;
        let names = alternative
            .as_ref()
            .map(|names| format!("subjectAltName={names}\n"))
            .unwrap_or_default();
        let text = format!("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n{names}");
        std::fs::write(self.file(&extensions), text)?;
        self.openssl(&["req", "-new", "-key", &key, "-subj", subject, "-out", &request])?;
        let sign = [
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
        ];
        self.openssl(&[&sign[..], &["-days", DAYS, "-extfile", &extensions, "-out", &partial]].concat())?;
        for file in [&request, &extensions] {
            std::fs::remove_file(self.file(file))?;
        }
        self.finish(&format!("{name}.crt"))
    }
}

/// A kubeconfig for the holder of a certificate. JSON is YAML.
pub fn write_kubeconfig(file: &Path, folder: &Path, holder: &str) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "shop-dev", "cluster": {
            "server": api_server(), "certificate-authority": folder.join("ca.crt")}}],
        "users": [{"name": holder, "user": {
            "client-certificate": folder.join(format!("{holder}.crt")),
            "client-key": folder.join(format!("{holder}.key"))}}],
        "contexts": [{"name": "shop-dev", "context": {"cluster": "shop-dev", "user": holder}}],
        "current-context": "shop-dev",
    });
    std::fs::write(file, serde_json::to_vec_pretty(&config)?)
        .with_context(|| format!("cannot write {}", file.display()))
}
