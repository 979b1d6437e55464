//! The command line.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// What to do, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) role: Role,
    /// The URL of an empty database; without it, a new SQLite file.
    pub(crate) database: Option<String>,
    /// How long each measurement takes.
    pub(crate) length: Duration,
    /// How many requests there are at once.
    pub(crate) connections: usize,
    /// How often a server is started to see how long that takes.
    pub(crate) starts: usize,
    /// Another build of Keyfob than the one that cargo has just made.
    pub(crate) program: Option<String>,
    /// What the names of the measurements must contain.
    pub(crate) only: Option<String>,
}

/// Which part this process has: beside the benchmark itself, each runs on the server's core.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// None: `cargo test --all-targets` starts benchmarks, too.
    Nothing,
    /// To put load on servers.
    Bench,
    /// To measure what the core can do.
    Limits,
    /// To serve bare routes.
    Bare { port: u16 },
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            role: Role::Nothing,
            database: None,
            length: Duration::from_secs(3),
            connections: 32,
            starts: 10,
            program: None,
            only: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} what?"));
            match word.as_str() {
                // How cargo asks for it.
                "--bench" => arguments.role = Role::Bench,
                "--limits" => arguments.role = Role::Limits,
                "--bare" => {
                    let port = value()?.parse()?;
                    arguments.role = Role::Bare { port };
                }
                "--database" => arguments.database = Some(value()?),
                "--seconds" => arguments.length = Duration::from_secs_f64(value()?.parse()?),
                "--connections" => arguments.connections = value()?.parse()?,
                "--starts" => arguments.starts = value()?.parse::<usize>()?.max(1),
                "--program" => arguments.program = Some(value()?),
                "--only" => arguments.only = Some(value()?),
                _ => bail!("{word} is no argument of this benchmark"),
            }
        }
        Ok(arguments)
    }

    /// Whether the measurement of that name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only))
    }
}
