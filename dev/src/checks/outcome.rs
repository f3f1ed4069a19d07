//! What a run of `cargo test` said. Pure: the log's text in, names and counts out.

use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub passed: u64,
    pub ignored: u64,
    pub failed: BTreeSet<String>,
    /// Arguments of cargo that choose what held a failed test: `-p`, a package, `--test`, a name.
    pub targets: Vec<Vec<String>>,
    /// What the failed tests said, as far as it fits a report.
    pub words: Vec<String>,
    /// Something ended before its tests could report: a compile error, a crash, a kill.
    pub broken: bool,
}

/// Of each failed test's words, and of all together.
const LINES_OF_ONE: usize = 8;
const LINES_OF_ALL: usize = 40;
const COLUMNS: usize = 240;

pub fn read(log: &str, success: bool) -> Outcome {
    let mut outcome = Outcome::default();
    // Lines still to take of the test whose words these are.
    let mut more = 0;
    for line in log.lines() {
        if line.starts_with("---- ") {
            more = LINES_OF_ONE;
        } else if line == "failures:" || line.starts_with("test result: ") {
            more = 0;
        }
        if more > 0 && !line.trim().is_empty() && outcome.words.len() < LINES_OF_ALL {
            more -= 1;
            outcome.words.push(line.chars().take(COLUMNS).collect());
        }
        if let Some(target) = line.strip_prefix("    `-p ").and_then(|rest| rest.strip_suffix('`')) {
            let words = target.split(' ').map(str::to_owned);
            outcome
                .targets
                .push(std::iter::once("-p".to_owned()).chain(words).collect());
        }
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            outcome.failed.insert(name.to_string());
        }
        // Output of a test can stand between its name and the verdict; the list at the end has the name for sure.
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            outcome.failed.insert(name.to_string());
        }
        if let Some(figures) = line.strip_prefix("test result: ") {
            outcome.passed += figure(figures, "passed");
            outcome.ignored += figure(figures, "ignored");
        }
    }
    outcome.broken = !success && outcome.failed.is_empty();
    outcome
}

impl Outcome {
    /// What another run said as well.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        self.failed.extend(other.failed);
        self.targets.extend(other.targets);
        self.words.extend(other.words);
        self.broken |= other.broken;
    }
}

/// The number before a word: `ok. 12 passed; 0 failed; …`.
fn figure(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|found| *found == word).unwrap_or(0);
    words
        .get(at.wrapping_sub(1))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Names for a sentence; a long list is cut.
pub fn names(failed: &BTreeSet<String>) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = failed.iter().take(SHOWN).map(String::as_str).collect();
    let more = failed.len().saturating_sub(SHOWN);
    if more == 0 {
        shown.join(", ")
    } else {
        format!("{} and {more} more", shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "running 3 tests\ntest a::b ... ok\ntest a::c ... FAILED\ntest d ... noise FAILED\n\nfailures:\n\n---- a::c stdout ----\nx\n---- d stdout ----\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\ntest result: ok. 4 passed; 0 failed; 2 ignored; 0 measured\nerror: 1 target failed:\n    `-p shop-user --test user`\n";

    #[test]
    fn failures_are_found_in_both_places_and_counted_once() {
        let outcome = read(LOG, false);
        assert_eq!(outcome.failed.iter().collect::<Vec<_>>(), ["a::c", "d"]);
        assert_eq!((outcome.passed, outcome.ignored, outcome.broken), (5, 2, false));
        assert_eq!(outcome.targets, [["-p", "shop-user", "--test", "user"]]);
        assert_eq!(outcome.words, ["---- a::c stdout ----", "x", "---- d stdout ----"]);
    }

    #[test]
    fn a_failure_without_names_is_a_broken_run() {
        assert!(read("error[E0308]: mismatched types\n", false).broken);
        assert!(!read("test result: ok. 1 passed; 0 failed\n", true).broken);
    }

    #[test]
    fn long_lists_are_cut() {
        let many: BTreeSet<String> = (1..=7).map(|n| format!("t{n}")).collect();
        assert_eq!(names(&many), "t1, t2, t3, t4, t5 and 2 more");
    }
}
