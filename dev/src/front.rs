//! A signal ends only the process it is sent to; cargo or a build of images would go on without it. So there are two:
//! the front waits and is the one to signal, the worker does everything and, once the front is gone, ends what it started.
//! In: this program's arguments. Out: the worker's exit code. Must not know the verbs.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::process;

/// By this name of its program a worker knows that it is one.
const WORKER: &str = "shop-worker";

pub fn is_this() -> bool {
    std::env::args_os().next().is_none_or(|name| name != WORKER)
}

pub fn run() -> Result<ExitCode> {
    let program = std::env::current_exe().context("this program is not found")?;
    let mut worker = Command::new(program)
        .arg0(WORKER)
        .args(std::env::args_os().skip(1))
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start the worker")?;
    // Open for as long as this process lives, however it ends.
    let _line = worker.stdin.take();
    let code = worker.wait()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// For the worker.
pub fn end_with_it() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        process::end_children();
        std::process::exit(1);
    });
}
