//! Child processes that end: run, wait, keep what they said.
//! In: a `Command`. Out: its standard output, or a `Failure` naming the command and where its words were kept.
//! Must not leave anything running: long-lived processes belong to `process`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::failure::Failure;
use crate::user;

/// A log file to append to; its folder is made, and a new one is the user's.
pub fn open_log(log: &Path) -> Result<File> {
    if let Some(folder) = log.parent() {
        user::make_folder(folder)?;
    }
    let new = !log.exists();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    if new {
        user::give(log)?;
    }
    Ok(file)
}

/// Runs to the end with all output in `log`.
pub fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let mut file = open_log(log)?;
    writeln!(file, "$ {}", words(command))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start {}", program(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{} failed ({status})", short(command)))
        .log(log)
        .into())
}

/// Runs to the end and returns standard output; an error carries the last line of standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program(command)))?;
    finished(command, &done)
}

/// As `output`, with `input` on standard input.
pub fn output_with_input(command: &mut Command, input: &[u8]) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program(command)))?;
    let mut pipe = child.stdin.take().context("standard input is not a pipe")?;
    let bytes = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&bytes));
    let done = child.wait_with_output()?;
    // A child that fails early closes its input; its own words say why, not the broken pipe.
    let _ = writer.join();
    finished(command, &done)
}

fn finished(command: &Command, done: &std::process::Output) -> Result<String> {
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.last().copied().unwrap_or("it said nothing");
    Err(Failure::new(format!("{} failed: {last}", short(command))).into())
}

/// Whether it ran and succeeded; its words are dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn program(command: &Command) -> String {
    Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn short(command: &Command) -> String {
    let first: Vec<_> = command
        .get_args()
        .take(3)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    format!("{} {}", program(command), first.join(" "))
}

fn words(command: &Command) -> String {
    let args: Vec<_> = command
        .get_args()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    format!("{} {}", command.get_program().to_string_lossy(), args.join(" "))
}
