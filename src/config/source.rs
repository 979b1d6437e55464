//! The file and the environment as one set of keys, before anybody asks what they mean.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, Origin};

/// A value as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Raw {
    /// A string of the file.
    Text(String),
    /// An environment variable, or the content of a secret's file: a text that stands for any type.
    Bare(String),
    /// A whole number of the file.
    Integer(i64),
    /// A truth value of the file.
    Boolean(bool),
    /// A list of the file.
    List(Vec<Raw>),
    /// A section of the file that has nothing in it.
    EmptySection,
    /// Something that no setting is: a date, a fraction, a number beyond 64 bits.
    Other,
}

/// A value, how it was written and where.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) raw: Raw,
    pub(super) written: String,
    pub(super) origin: Origin,
}

/// Values by dotted key.
pub(super) type Entries = BTreeMap<String, Entry>;

/// Reads the text of the file at `path`, and what is wrong with its syntax.
pub(super) fn file(path: &Path, text: &str) -> (Entries, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let line_of = |offset: usize| 1 + text[..offset].bytes().filter(|b| *b == b'\n').count();
    let mistakes = errors.iter().map(|error| {
        let span = error.span().unwrap_or_default();
        let is_duplicate = error.message().contains("duplicate");
        // Only a key is shown: the rest of a broken line may be a secret.
        let key = text.get(span.clone()).filter(|_| is_duplicate);
        Mistake {
            key: key.unwrap_or_default().to_owned(),
            origin: Origin::File {
                path: path.to_owned(),
                line: line_of(span.start),
            },
            value: None,
            problem: format!("is not TOML: {}", error.message().replace('\n', ", ")),
            fix: match key {
                Some(_) => "keep one of the two".to_owned(),
                None => "write key = value, strings in quotes".to_owned(),
            },
        }
    });
    let mistakes = mistakes.collect();
    let mut entries = Entries::new();
    flatten(table.get_ref(), "", &mut |key, value| {
        let span = value.span();
        let entry = Entry {
            raw: raw(value.get_ref()),
            written: one_line(text.get(span.clone()).unwrap_or_default()),
            origin: Origin::File {
                path: path.to_owned(),
                line: line_of(span.start),
            },
        };
        entries.insert(key, entry);
    });
    (entries, mistakes)
}

/// Reads those environment variables that are Keyfob's: `KEYFOB_` and the key in capitals, with
/// two underscores for each dot.
pub(super) fn environment(variables: impl IntoIterator<Item = (String, String)>) -> Entries {
    let ours = variables.into_iter().filter_map(|(name, value)| {
        let key = name.strip_prefix(PREFIX)?;
        if key.starts_with(TESTS) {
            return None;
        }
        let is_capital = !key.bytes().any(|byte| byte.is_ascii_lowercase());
        // A name in small letters is nobody's key, and so is reported as unknown.
        let key = if is_capital {
            key.to_lowercase().replace("__", ".")
        } else {
            name.clone()
        };
        let entry = Entry {
            written: one_line(&format!("{value:?}")),
            raw: Raw::Bare(value),
            origin: Origin::Environment { name },
        };
        Some((key, entry))
    });
    ours.collect()
}

/// The environment variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn flatten<'t>(
    table: &'t DeTable<'t>,
    prefix: &str,
    found: &mut impl FnMut(String, &'t Spanned<DeValue<'t>>),
) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => {
                flatten(inner, &format!("{key}."), found);
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => found(key, value),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Raw::Other, Raw::Integer)
        }
        DeValue::Boolean(truth) => Raw::Boolean(*truth),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(_) => Raw::EmptySection,
        DeValue::Float(_) | DeValue::Datetime(_) => Raw::Other,
    }
}

/// The text without line breaks, and not longer than fits a line.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

const PREFIX: &str = "KEYFOB_";

/// Variables for the test suite, which spawns servers that inherit them.
const TESTS: &str = "TEST_";

const LONGEST: usize = 100;
