//! JSON that an operator hands over in a file or on standard input, and what is wrong with it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::exit::{CliError, Exit};

/// Where to read from: a file, or `-` for standard input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source(PathBuf);

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Source {
    /// Whether it is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.0 == Path::new("-")
    }

    /// How to call it in a message.
    #[must_use]
    pub fn name(&self) -> String {
        if self.is_stdin() {
            "standard input".to_owned()
        } else {
            self.0.display().to_string()
        }
    }

    /// Reads the whole of it as JSON.
    ///
    /// # Errors
    ///
    /// It cannot be read, is too large, or is not JSON; with the line and the column.
    pub fn read_json(&self) -> Result<Value, CliError> {
        let unreadable = |error: io::Error| {
            CliError::new(
                Exit::Invalid,
                format!("{} cannot be read: {error}", self.name()),
            )
        };
        let reader: Box<dyn Read> = if self.is_stdin() {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(&self.0).map_err(unreadable)?)
        };
        let mut text = String::new();
        reader
            .take(LARGEST)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        parse_json(&self.name(), &text)
    }
}

/// Reads `text` as JSON.
fn parse_json(name: &str, text: &str) -> Result<Value, CliError> {
    serde_json::from_str(text)
        .map_err(|error| CliError::new(Exit::Invalid, format!("{name} is not JSON: {error}")))
}

/// Reads `object` as a `T`, and finds the members that `T` knows nothing of. An error calls the
/// object `what`.
///
/// # Errors
///
/// The member that is wrong and what is wrong with it.
pub fn read_object<T>(what: &str, object: &Map<String, Value>) -> Result<(T, Vec<String>), CliError>
where
    T: DeserializeOwned + Serialize + Default,
{
    let invalid = |message: String| CliError::new(Exit::Invalid, format!("{what}: {message}"));
    let whole = serde_json::from_value::<T>(Value::Object(object.clone()));
    let value = whole.map_err(|error| {
        // serde_json says what is wrong and not where: each member alone tells.
        let guilty = object.iter().find(|(name, value)| {
            let alone = Map::from_iter([((*name).clone(), (*value).clone())]);
            serde_json::from_value::<T>(Value::Object(alone)).is_err()
        });
        match guilty {
            Some((name, _)) => invalid(format!("{name}: {error}")),
            None => invalid(error.to_string()),
        }
    })?;
    let known = serde_json::to_value(&value).map_err(|error| invalid(error.to_string()))?;
    // A member that is known but says nothing (null, false, an empty list) may not be written back.
    let says_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    };
    let unknown = object
        .iter()
        .filter(|(name, value)| says_something(value) && known.get(name).is_none())
        .map(|(name, _)| name.clone())
        .collect();
    Ok((value, unknown))
}

/// How to call a kind of JSON value.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The most that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_named_with_its_place() {
        let error = parse_json("clients.json", "{\n  \"client_name\": Shop\n}").unwrap_err();
        assert_eq!(error.exit, Exit::Invalid);
        assert_eq!(
            error.message,
            "clients.json is not JSON: expected value at line 2 column 18"
        );
        let error = Source::from(PathBuf::from("/nowhere.json"))
            .read_json()
            .unwrap_err();
        assert_eq!(error.exit, Exit::Invalid);
        assert!(error.message.starts_with("/nowhere.json cannot be read"));
    }
}
