//! One run of Schemathesis: requests made from an OpenAPI document, sent through the gateway, every answer compared with
//! the document. In: what to send as whom. Out: how much was sent, or a failure that ends with the requests to repeat.
//! Which checks run and what the requests are told about this shop stands in dev/fuzz.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;
use crate::failure::Failure;
use crate::user;

/// A pass that takes longer hangs: an access token would not last much longer either.
const LIMIT_SECONDS: &str = "600";
/// Lines of findings that are shown; the log has all.
const SHOWN: usize = 60;

/// What all runs have in common.
pub struct Fuzzer {
    pub bin: PathBuf,
    /// dev/fuzz of the checkout.
    pub settings: PathBuf,
    /// Where documents, reports and its own records go.
    pub folder: PathBuf,
    pub gateway: String,
    pub examples: u32,
    pub seed: u64,
    /// Exists and has stock.
    pub product: String,
}

pub struct Run<'a> {
    /// For files and messages: the service, as whom.
    pub name: String,
    pub document: &'a Path,
    pub token: &'a str,
    /// Further arguments, such as a choice of operations.
    pub args: &'a [&'a str],
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub operations: u64,
    pub requests: u64,
}

impl Fuzzer {
    /// Addresses of the products that runs have made, one a line.
    pub fn made(&self) -> PathBuf {
        self.folder.join("made")
    }

    pub fn run(&self, run: &Run<'_>, log: &Path) -> Result<Sent> {
        let report = self.folder.join(format!("{}.json", run.name));
        for old in [&report, &log.to_path_buf()] {
            let _ = std::fs::remove_file(old);
        }
        let ended = command::logged(&mut self.command(run, &report), log);
        let text = std::fs::read(&report).unwrap_or_default();
        let told: Value = serde_json::from_slice(&text).unwrap_or_default();
        match ended {
            Ok(()) if told["complete"] == true => Ok(sent(&told)),
            _ => Err(self.failure(run, &told, log)?),
        }
    }

    fn command(&self, run: &Run<'_>, report: &Path) -> Command {
        let mut command = user::command("timeout");
        // In the foreground it stays in our process group, and ends with us.
        command.args(["--foreground", "--kill-after=5", LIMIT_SECONDS]);
        command.arg(self.bin.join("schemathesis"));
        command
            .arg("--config-file")
            .arg(self.settings.join("schemathesis.toml"));
        command.arg("run").arg(run.document).args(["--url", &self.gateway]);
        command.args(["--max-examples", &self.examples.to_string()]);
        command.args([
            "--seed",
            &self.seed.to_string(),
            "--report",
            "json",
            "--report-json-path",
        ]);
        command.arg(report).args(run.args).current_dir(&self.folder);
        command
            .env("SCHEMATHESIS_HOOKS", self.settings.join("hooks.py"))
            .env("SHOP_FUZZ_TOKEN", run.token)
            .env("SHOP_FUZZ_PRODUCT", &self.product)
            .env("SHOP_FUZZ_MADE", self.made())
            .env("NO_PROXY", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn failure(&self, run: &Run<'_>, told: &Value, log: &Path) -> Result<anyhow::Error> {
        let findings = titles(told);
        if findings.is_empty() {
            let what = format!("{}: the fuzzer did not get to its end", run.name);
            return Ok(Failure::new(what).log(log).into());
        }
        let mut failure = Failure::new(format!("{}: {}", run.name, findings.join(", ")));
        let text = std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
        for line in findings_in(&text).take(SHOWN) {
            failure = failure.detail(line);
        }
        Ok(failure.detail(format!("all of it: {}", log.display())).into())
    }
}

fn sent(told: &Value) -> Sent {
    let figure = |value: &Value| value.as_u64().unwrap_or_default();
    Sent {
        operations: figure(&told["operations"]["tested"]),
        requests: figure(&told["test_cases"]["generated"]),
    }
}

/// `3 x Undocumented status code`.
fn titles(told: &Value) -> Vec<String> {
    let failures = told["failures"].as_array().into_iter().flatten();
    failures
        .map(|failure| format!("{} x {}", failure["count"], failure["title"].as_str().unwrap_or("?")))
        .collect()
}

/// What its words say between the headings of failures and summary.
fn findings_in(log: &str) -> impl Iterator<Item = &str> {
    let heading = |line: &str, word: &str| line.starts_with('=') && line.contains(word);
    log.lines()
        .skip_while(move |line| !heading(line, " FAILURES "))
        .skip(1)
        .take_while(move |line| !heading(line, " SUMMARY ") && !heading(line, " WARNINGS "))
        .filter(|line| !line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_and_findings_are_read_from_the_report() {
        let told = json!({
            "operations": {"tested": 11}, "test_cases": {"generated": 342},
            "failures": [{"title": "Undocumented status code", "count": 2}]
        });
        assert_eq!(
            sent(&told),
            Sent {
                operations: 11,
                requests: 342
            }
        );
        assert_eq!(titles(&told), ["2 x Undocumented status code"]);
        assert!(titles(&json!({})).is_empty());
    }

    #[test]
    fn only_the_findings_are_shown() {
        let log = "x\n=== FAILURES ===\n\n1. Case\n    curl -X GET u\n=== SUMMARY ===\nSeed: 1\n";
        assert_eq!(findings_in(log).collect::<Vec<_>>(), ["1. Case", "    curl -X GET u"]);
    }
}
