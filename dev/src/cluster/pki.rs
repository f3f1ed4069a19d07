//! Keys and certificates of the embedded cluster, made once with openssl, and kubeconfigs for who holds one.
//! In: the folder and the nodes. Out: files. Existing ones are kept: a new authority would orphan every token.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::address::{API_SERVICE, HOST, MOST_NODES, Node, api_server};
use crate::command;
use crate::user;

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

/// A kubeconfig for a daemon that holds a certificate.
fn write_kubeconfig(file: &Path, folder: &Path, holder: &str) -> Result<()> {
    let cluster = json!({"server": api_server(), "certificate-authority": folder.join("ca.crt")});
    let user = json!({
        "client-certificate": folder.join(format!("{holder}.crt")),
        "client-key": folder.join(format!("{holder}.key")),
    });
    let config = kubeconfig(holder, &cluster, &user);
    std::fs::write(file, serde_json::to_vec_pretty(&config)?)
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The admin's, for the user: keys lie in it, as the files are root's alone.
pub fn write_admin_kubeconfig(file: &Path, folder: &Path) -> Result<()> {
    let data = |name: &str| encoded(&folder.join(name));
    let cluster = json!({"server": api_server(), "certificate-authority-data": data("ca.crt")?});
    let user = json!({"client-certificate-data": data("admin.crt")?, "client-key-data": data("admin.key")?});
    let config = kubeconfig("admin", &cluster, &user);
    user::write_private(file, &serde_json::to_vec_pretty(&config)?)
}

/// JSON is YAML.
fn kubeconfig(holder: &str, cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "shop-dev", "cluster": cluster}],
        "users": [{"name": holder, "user": user}],
        "contexts": [{"name": "shop-dev", "context": {"cluster": "shop-dev", "user": holder}}],
        "current-context": "shop-dev",
    })
}

/// The content of a file in base64.
pub fn encoded(file: &Path) -> Result<String> {
    command::output(Command::new("base64").arg("-w0").arg(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_kubeconfig_needs_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ca.crt", "admin.crt", "admin.key"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let file = folder.path().join("kubeconfig");
        write_admin_kubeconfig(&file, folder.path()).unwrap();
        let config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(config["users"][0]["user"]["client-key-data"], "YWRtaW4ua2V5");
        assert!(!config.to_string().contains(&*folder.path().to_string_lossy()));
    }
}
