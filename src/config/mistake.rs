//! What is wrong with a configuration, said so that it can be put right.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the configuration file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
    /// A file that holds nothing but a secret.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What named it.
        named_by: Box<Origin>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { name } => f.write_str(name),
            Self::SecretFile { path, named_by } => {
                write!(f, "in {}, named by {named_by}", path.display())
            }
        }
    }
}

/// One mistake: which key, where, what value, what is wrong with it and how to put it right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The key with dots between its parts, such as `lifetimes.access_token`; empty if what is
    /// wrong is the file and no key of it.
    pub key: String,
    /// Where the value comes from; [`Origin::Default`] if it is missing.
    pub origin: Origin,
    /// The value as it was written; `None` if it is missing, `(hidden)` if it is a secret.
    pub value: Option<String>,
    /// What is wrong, as the end of a sentence whose subject is the key.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if self.origin != Origin::Default {
            let space = if self.key.is_empty() { "" } else { " " };
            write!(f, "{space}({})", self.origin)?;
        }
        write!(f, "\n    {}\n    fix: {}", self.problem, self.fix)
    }
}

/// Why there is no configuration: every mistake that was found, in one list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// The mistakes, at least one.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        for mistake in &self.mistakes {
            write!(f, "\n\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with a value, before it is known which key it is of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wrong {
    pub(super) problem: String,
    pub(super) fix: String,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}
