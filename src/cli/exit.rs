//! What a command ends with: a status that scripts can tell apart, and a sentence for people.

use std::error::Error;
use std::fmt;

use crate::config::mistake::ConfigError;
use crate::provider::StartError;
use crate::provider::account::password_hasher::HashError;
use crate::provider::operator::OperatorError;
use crate::store::StoreError;

/// The exit status of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// It did what it was told.
    Done = 0,
    /// Something failed that is not the fault of who called it.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// What it was told to work on does not exist.
    NotFound = 3,
    /// What it was told to make exists already.
    Conflict = 4,
    /// The configuration, or what it was given to read, is wrong.
    Invalid = 5,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was told.
#[derive(Debug)]
pub struct CliError {
    /// The exit status.
    pub exit: Exit,
    /// What to tell the person, without a final stop.
    pub message: String,
}

impl CliError {
    /// An error with this status and message.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CliError {}

impl CliError {
    /// A failure with everything that caused it.
    #[must_use]
    pub fn failed(error: &dyn Error) -> Self {
        Self::new(Exit::Failed, chain(error))
    }
}

/// The error and its causes in one line, those left out that only repeat the one before.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut sentences: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let sentence = error.to_string();
        if sentences.last() != Some(&sentence) {
            sentences.push(sentence);
        }
        next = error.source();
    }
    sentences.join(": ")
}

impl From<OperatorError> for CliError {
    fn from(error: OperatorError) -> Self {
        let exit = match &error {
            OperatorError::NotFound(..) => Exit::NotFound,
            OperatorError::AlreadyExists(..) | OperatorError::ChangedMeanwhile => Exit::Conflict,
            OperatorError::Invalid(..)
            | OperatorError::Metadata(_)
            | OperatorError::Password(_)
            | OperatorError::NoSecret(_)
            | OperatorError::MasterKey(StartError::OtherMasterKey) => Exit::Invalid,
            OperatorError::MasterKey(_) | OperatorError::Internal(_) => Exit::Failed,
        };
        Self::new(exit, chain(&error))
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        Self::failed(&error)
    }
}

impl From<HashError> for CliError {
    fn from(error: HashError) -> Self {
        Self::failed(&error)
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Invalid, error.to_string())
    }
}

/// What stands below every command's help: how to use it, and what its exit status means.
pub(super) fn after_help(examples: &str) -> String {
    format!(
        "Examples:\n{examples}\n\nExit status:\n  0 done, 1 failed, 2 wrong usage, 3 not found, \
         4 exists already, 5 invalid input or configuration"
    )
}
