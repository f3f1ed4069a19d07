//! An explanation as text: one change per paragraph, what restarts below it.

use super::{Change, Explanation, Verb};
use std::fmt::{Display, Formatter, Result};

/// Names and fields told one by one; more are counted.
const TOLD: usize = 6;

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.changes.iter().try_for_each(|change| write!(f, "{change}"))?;
        let plural = if self.unchanged == 1 { "" } else { "s" };
        writeln!(f, "= {} object{plural} unchanged", self.unchanged)?;
        writeln!(f, "connections: {}", self.connections.join(" · "))
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let sign = match self.verb {
            Verb::Create => '+',
            Verb::Change => '~',
            Verb::Delete => '-',
        };
        writeln!(f, "{sign} {} {}", self.kind, told(&self.names))?;
        for field in self.fields.iter().take(TOLD) {
            writeln!(f, "    {}: {} → {}", field.label(), field.from, field.to)?;
        }
        if self.fields.len() > TOLD {
            writeln!(f, "    and {} more fields", self.fields.len() - TOLD)?;
        }
        self.restarts
            .iter()
            .try_for_each(|restarts| writeln!(f, "    {restarts}"))
    }
}

fn told(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(TOLD)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > TOLD {
        format!("{shown} and {} more", names.len() - TOLD)
    } else {
        shown
    }
}
