//! What a person sees while a verb works: one line per step, with time; a moving line on a terminal, a line every
//! 30 s elsewhere. Must not know what the steps are.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::failure;

const NAME_WIDTH: usize = 10;
const DETAIL_WIDTH: usize = 62;
const LOG_LINES: usize = 60;

/// The steps of one verb.
pub struct Screen<'a> {
    total: usize,
    next: Mutex<usize>,
    started: Instant,
    output: Output<'a>,
}

enum Output<'a> {
    /// Standard output.
    Person,
    /// A step of another screen: its line shows what happens, a file keeps it.
    Within { outer: &'a Step<'a>, log: PathBuf },
}

/// A step under way.
pub struct Step<'a> {
    label: String,
    started: Instant,
    detail: Arc<Mutex<String>>,
    done: Arc<AtomicBool>,
    painter: Option<JoinHandle<()>>,
    outer: Option<&'a Step<'a>>,
}

impl<'a> Screen<'a> {
    pub fn new(total: usize) -> Screen<'a> {
        Screen {
            total,
            next: Mutex::new(1),
            started: Instant::now(),
            output: Output::Person,
        }
    }

    /// Steps inside a step of another screen; their lines go to `log`.
    pub fn within(total: usize, outer: &'a Step<'a>, log: PathBuf) -> Screen<'a> {
        Screen {
            total,
            next: Mutex::new(1),
            started: Instant::now(),
            output: Output::Within { outer, log },
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Does the work as the next step: its result is the line's text, an error is explained below it.
    pub fn step<T>(
        &self,
        name: &str,
        work: impl FnOnce(&Step<'_>) -> anyhow::Result<(T, String)>,
    ) -> anyhow::Result<T> {
        let number = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *next += 1;
            *next - 1
        };
        let label = format!(" {number}/{} {name:<NAME_WIDTH$} ", self.total);
        let mut step = match &self.output {
            Output::Person => Step::painted(label),
            Output::Within { outer, .. } => Step::silent(label, outer),
        };
        let result = work(&step);
        step.stop();
        let time = human(step.started.elapsed());
        match result {
            Ok((value, text)) => {
                self.print(&line(&step.label, &text, &time));
                Ok(value)
            }
            Err(error) if error.is::<Told>() => Err(error),
            Err(error) => {
                self.print(&format!("{}{error} (after {time})", step.label));
                let indent = " ".repeat(step.label.chars().count());
                for text in failure::explain(&error, LOG_LINES) {
                    self.print(&format!("{indent}{text}"));
                }
                Err(error.context(Told))
            }
        }
    }

    fn print(&self, row: &str) {
        match &self.output {
            Output::Person => screen_line!("{row}"),
            Output::Within { log, .. } => {
                // The outer step shows the end of this file when it fails.
                let _ = crate::command::open_log(log).and_then(|mut file| Ok(writeln!(file, "{row}")?));
            }
        }
    }
}

/// Marks an error that was printed already.
#[derive(Debug)]
pub struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a step failed")
    }
}

impl<'a> Step<'a> {
    fn painted(label: String) -> Step<'a> {
        let mut step = Step::quiet(label, None);
        let (label, detail, done, started) = (
            step.label.clone(),
            Arc::clone(&step.detail),
            Arc::clone(&step.done),
            step.started,
        );
        step.painter = Some(std::thread::spawn(move || paint(&label, &detail, &done, started)));
        step
    }

    fn silent(label: String, outer: &'a Step<'a>) -> Step<'a> {
        Step::quiet(label, Some(outer))
    }

    fn quiet(label: String, outer: Option<&'a Step<'a>>) -> Step<'a> {
        Step {
            label,
            started: Instant::now(),
            detail: Arc::new(Mutex::new(String::new())),
            done: Arc::new(AtomicBool::new(false)),
            painter: None,
            outer,
        }
    }

    /// What it is doing now.
    pub fn say(&self, text: &str) {
        match self.outer {
            Some(outer) => outer.say(&format!("{}{text}", self.label.trim_start())),
            None => *self.detail.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = text.to_string(),
        }
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(painter) = self.painter.take() {
            let _ = painter.join();
        }
    }
}

fn paint(label: &str, detail: &Mutex<String>, done: &AtomicBool, started: Instant) {
    let terminal = std::io::stdout().is_terminal();
    let every = if terminal {
        Duration::from_millis(250)
    } else {
        Duration::from_secs(30)
    };
    let mut last = Instant::now();
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        if last.elapsed() < every {
            continue;
        }
        last = Instant::now();
        let text = detail.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let row = line(label, &text, &human(started.elapsed()));
        if terminal {
            screen_text!("\r\x1b[K{row}");
        } else {
            screen_line!("{row}");
        }
        let _ = std::io::stdout().flush();
    }
    if terminal {
        screen_text!("\r\x1b[K");
    }
}

fn line(label: &str, text: &str, time: &str) -> String {
    format!("{label}{text:<DETAIL_WIDTH$} {time}")
}

/// 9 s, 1m 05s, 1h 02m.
pub fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `███░░` with ten cells.
pub fn bar(done: u64, of: u64) -> String {
    let filled = (done.min(of) * 10).checked_div(of).map_or(10, |cells| cells as usize);
    format!("{}{}", "█".repeat(filled), "░".repeat(10 - filled))
}

/// 412 MB, 1.2 GB.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let read = |seconds| human(Duration::from_secs(seconds));
        assert_eq!([read(9), read(65), read(3725)], ["9 s", "1m 05s", "1h 02m"]);
        assert_eq!(human(Duration::from_millis(38)), "38 ms");
    }

    #[test]
    fn bars_fill_from_the_left() {
        assert_eq!(bar(7, 10), "███████░░░");
        assert_eq!(bar(9, 0), "██████████");
        assert_eq!(bar(12, 10), "██████████");
    }
}
