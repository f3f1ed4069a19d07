//! kubectl, as Rust functions. In: arguments and objects. Out: parsed JSON. Must not decide anything.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command;
use crate::user;

/// Of an API server that has no time: how often an apply is repeated, and how long it waits between.
const TRIES: u32 = 3;
const PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

/// A cluster to talk to: the embedded one, or a context of the user's own configuration.
#[derive(Clone, Debug)]
pub struct Kube {
    pub kubectl: PathBuf,
    pub helm: PathBuf,
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
}

impl Kube {
    pub fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = user::command(&self.kubectl);
        if let Some(file) = &self.kubeconfig {
            command.env("KUBECONFIG", file);
        }
        if let Some(context) = &self.context {
            command.args(["--context", context]);
        }
        command.args(args);
        command
    }

    pub fn helm(&self, args: &[&str]) -> Command {
        let mut command = user::command(&self.helm);
        if let Some(file) = &self.kubeconfig {
            command.env("KUBECONFIG", file);
        }
        if let Some(context) = &self.context {
            command.args(["--kube-context", context]);
        }
        command.args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Result<String> {
        command::output(&mut self.kubectl(args))
    }

    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let text = self.run(&[args, &["-o", "json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("kubectl {}: not JSON", args.join(" ")))
    }

    /// The object, or None when the API server says that there is none.
    pub fn get(&self, namespace: &str, kind: &str, name: &str) -> Result<Option<Value>> {
        let args = ["-n", namespace, "get", kind, name, "--ignore-not-found", "-o", "json"];
        let text = self.run(&args)?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(&text)
            .map(Some)
            .with_context(|| format!("{kind} {name}: not JSON"))
    }

    pub fn items(&self, args: &[&str]) -> Result<Vec<Value>> {
        Ok(self.json(args)?["items"].as_array().cloned().unwrap_or_default())
    }

    /// Server-side apply of several objects.
    pub fn apply(&self, objects: &[Value]) -> Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let args = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=shop-dev",
            "-f",
            "-",
        ];
        let list = serde_json::to_vec(&list)?;
        let mut tries = 0;
        loop {
            let applied = command::output_with_input(&mut self.kubectl(&args), &list).map(drop);
            match applied {
                Err(error) if tries < TRIES && is_busy(&error) => std::thread::sleep(PAUSE),
                ended => return ended,
            }
            tries += 1;
        }
    }

    /// What no other cluster has, also when it goes by the same name.
    pub fn identity(&self) -> Result<String> {
        self.run(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])
    }

    pub fn ready(&self) -> bool {
        command::succeeds(&mut self.kubectl(&["get", "--raw", "/readyz", "--request-timeout=2s"]))
    }
}

/// Whether the API server only had no time, as while a whole shop starts beside a compiler.
fn is_busy(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}").to_lowercase();
    ["timeout", "timed out", "connection refused"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a condition of the object is True.
pub fn is_true(object: &Value, condition: &str) -> bool {
    condition_of(object, condition).is_some_and(|found| found["status"] == "True")
}

pub fn condition_of<'a>(object: &'a Value, condition: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|found| found["type"] == condition)
}

/// One line per pod of the namespace that cannot go on: why it waits or why it is not placed.
pub fn pod_problems(kube: &Kube, namespace: &str) -> Result<Vec<String>> {
    let pods = kube.items(&["-n", namespace, "get", "pods"])?;
    Ok(pods.iter().filter_map(pod_problem).collect())
}

fn pod_problem(pod: &Value) -> Option<String> {
    let name = pod["metadata"]["name"].as_str()?;
    let why = |reason: &Value, message: &Value| {
        let reason = reason.as_str()?;
        Some(
            format!("pod {name}: {reason} {}", message.as_str().unwrap_or_default())
                .trim_end()
                .to_string(),
        )
    };
    if let Some(placed) = condition_of(pod, "PodScheduled").filter(|found| found["status"] == "False") {
        return why(&placed["reason"], &placed["message"]);
    }
    let states = ["initContainerStatuses", "containerStatuses"].map(|field| pod["status"][field].as_array());
    let mut waiting = states
        .into_iter()
        .flatten()
        .flatten()
        .map(|container| &container["state"]["waiting"]);
    let stuck = waiting.find(|waiting| {
        waiting["reason"]
            .as_str()
            .is_some_and(|reason| !matches!(reason, "ContainerCreating" | "PodInitializing"))
    })?;
    why(&stuck["reason"], &stuck["message"])
}

/// Objects of a file with several YAML documents.
pub fn parse_documents(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("not YAML")?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_documents_are_read_and_empty_ones_dropped() {
        let found = parse_documents("# head\n---\nkind: A\n---\nkind: B\n").unwrap();
        assert_eq!(
            found.iter().map(|object| &object["kind"]).collect::<Vec<_>>(),
            ["A", "B"]
        );
    }

    #[test]
    fn a_pod_that_cannot_go_on_says_why() {
        let waiting = |reason: &str| {
            json!({"metadata": {"name": "a"},
            "status": {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": "no such tag"}}}]}})
        };
        assert_eq!(
            pod_problem(&waiting("ErrImagePull")).as_deref(),
            Some("pod a: ErrImagePull no such tag")
        );
        assert_eq!(pod_problem(&waiting("ContainerCreating")), None);
    }

    #[test]
    fn conditions_are_found_by_type() {
        let node = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert!(is_true(&node, "Ready") && !is_true(&node, "Valid"));
    }
}
