//! JSON over HTTP by way of curl. In: method, URL, headers, body. Out: status and body, or why there was no answer.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

pub struct Answer {
    pub status: u16,
    pub body: Value,
}

pub fn get(url: &str, headers: &[String]) -> Result<Answer> {
    send(&["-X", "GET"], url, headers, None)
}

pub fn post(url: &str, headers: &[String], body: &Value) -> Result<Answer> {
    send(&["-X", "POST"], url, headers, Some(body))
}

pub fn delete(url: &str, headers: &[String]) -> Result<Answer> {
    send(&["-X", "DELETE"], url, headers, None)
}

fn send(method: &[&str], url: &str, headers: &[String], body: Option<&Value>) -> Result<Answer> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--max-time", "10", "-w", "\n%{http_code}"])
        .args(method);
    for header in headers {
        curl.args(["-H", header]);
    }
    if body.is_some() {
        curl.args(["-H", "content-type: application/json", "--data-binary", "@-"]);
    }
    curl.arg(url);
    let input = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
    parse(&command::output_with_input(&mut curl, &input)?)
}

fn parse(said: &str) -> Result<Answer> {
    let (body, status) = said.rsplit_once('\n').context("no answer")?;
    let status = status.trim().parse().context("no status in the answer")?;
    Ok(Answer {
        status,
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    })
}

impl Answer {
    /// The body of a 2xx answer, else an error in the words of the problem document.
    pub fn ok(self, what: &str) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let text = |field: &str| self.body[field].as_str().unwrap_or_default().to_string();
        anyhow::bail!("{what}: {} {} {}", self.status, text("title"), text("detail"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_told_apart() {
        let answer = parse("{\"id\": 7}\n201").unwrap();
        assert_eq!((answer.status, answer.body["id"].as_u64()), (201, Some(7)));
        let refused = parse("{\"title\": \"Too early\", \"detail\": \"wait\"}\n503").unwrap();
        assert_eq!(
            refused.ok("order").unwrap_err().to_string(),
            "order: 503 Too early wait"
        );
    }
}
