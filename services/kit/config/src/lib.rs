//! In: the environment of a process, as a look-up. Out: its settings, or every problem at once, so that an operator
//! does not repair a pod one variable at a time. Must not log values: some are secrets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

type LookUp = dyn Fn(&str) -> Option<String>;

/// Reads variables and remembers what was wrong with them.
pub struct Env {
    look_up: Box<LookUp>,
    problems: RefCell<Vec<String>>,
}

/// All that was wrong, one line per variable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("settings: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// A value that must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl Env {
    /// The process's own environment.
    pub fn process() -> Self {
        Self::from_look_up(|name| std::env::var(name).ok())
    }

    /// A given set of variables, for tests and for programs that hold several services.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let map: BTreeMap<String, String> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Self::from_look_up(move |name| map.get(name).cloned())
    }

    fn from_look_up(look_up: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self {
            look_up: Box::new(look_up),
            problems: RefCell::default(),
        }
    }

    /// A variable that has to be there and not be empty.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.problem(name, "is not set");
        }
        value
    }

    /// A variable that may be missing; an empty one counts as missing.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.look_up)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret)
    }

    /// A variable with a default.
    pub fn parsed_or<T>(&self, name: &str, default: T) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        match self.optional(name) {
            None => Some(default),
            Some(value) => self.parse(name, &value),
        }
    }

    /// A variable without one.
    pub fn parsed<T>(&self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let value = self.text(name)?;
        self.parse(name, &value)
    }

    /// A comma-separated list that must not be empty, such as the nodes of RabbitMQ.
    pub fn host_ports(&self, name: &str) -> Option<Vec<HostPort>> {
        let value = self.text(name)?;
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed: Vec<Option<HostPort>> = parts.map(|part| self.parse(name, part)).collect();
        parsed.into_iter().collect()
    }

    /// Notes a problem a caller found in a value.
    pub fn problem(&self, name: &str, what: impl fmt::Display) {
        self.problems.borrow_mut().push(format!("{name} {what}"));
    }

    /// Builds the settings when nothing was wrong.
    pub fn finish<T>(self, settings: Option<T>) -> Result<T, ConfigError> {
        let problems = self.problems.into_inner();
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(ConfigError(problems)),
        }
    }

    fn parse<T>(&self, name: &str, value: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        value
            .parse()
            .map_err(|error| self.problem(name, format!("is `{value}`: {error}")))
            .ok()
    }
}

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').ok_or("must be host:port")?;
        let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
        if host.is_empty() {
            return Err("must be host:port".to_owned());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&'static str, &str)]) -> Env {
        Env::of(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())))
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let env = env(&[("SIZE", "many"), ("NODES", "a:1,b"), ("EMPTY", " ")]);
        let (size, nodes, empty) = (env.parsed_or("SIZE", 1_u32), env.host_ports("NODES"), env.text("EMPTY"));
        let missing = env.secret("MISSING");
        let built = (|| Some((size?, nodes?, empty?, missing?)))();
        let ConfigError(problems) = env.finish(built).unwrap_err();
        assert_eq!(
            problems,
            [
                "SIZE is `many`: invalid digit found in string",
                "NODES is `b`: must be host:port",
                "EMPTY is not set",
                "MISSING is not set"
            ]
        );
    }

    #[test]
    fn good_values_are_read() {
        let env = env(&[("SIZE", "7"), ("NODES", "a:1, b:2"), ("PASSWORD", "x")]);
        let (size, nodes, password) = (
            env.parsed::<u32>("SIZE"),
            env.host_ports("NODES"),
            env.secret("PASSWORD"),
        );
        let other = env.parsed_or("OTHER", 3_u32);
        let (size, nodes, password, other) = env.finish((|| Some((size?, nodes?, password?, other?)))()).unwrap();
        assert_eq!((size, other, password.expose()), (7, 3, "x"));
        assert_eq!(
            nodes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["a:1", "b:2"]
        );
        assert!(!format!("{password:?}").contains('x'));
    }
}
