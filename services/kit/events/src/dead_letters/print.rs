//! Prints dead letters on standard output: a block of lines for people, an array for programs.

use super::{DeadLetter, Output};
use std::io::{Result, Write, stdout};

/// Longest payload shown to people, in characters.
const SHOWN: usize = 200;

pub(super) fn list(letters: &[DeadLetter], output: Output) -> Result<()> {
    let mut out = stdout().lock();
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, letters)?;
            writeln!(out)
        }
        Output::Text if letters.is_empty() => writeln!(out, "no dead letters"),
        Output::Text => letters.iter().try_for_each(|letter| block(&mut out, letter)),
    }
}

pub(super) fn line(text: &str) -> Result<()> {
    writeln!(stdout().lock(), "{text}")
}

fn block(out: &mut impl Write, letter: &DeadLetter) -> Result<()> {
    let DeadLetter {
        id,
        queue,
        kind,
        reason,
        attempts,
        events,
        died_at,
        payload,
    } = letter;
    let id = id.map_or_else(|| "(no id)".to_owned(), |id| id.to_string());
    let when = died_at.as_deref().unwrap_or("at an unknown time");
    let shown: String = payload.chars().take(SHOWN).collect();
    let with = match events {
        0 | 1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    writeln!(
        out,
        "{id}{with}  {queue}  {kind}  {attempts} failed attempts, given up {when}"
    )?;
    writeln!(out, "    {reason}")?;
    writeln!(out, "    {shown}")
}
