//! Asks for settings one by one, and keeps what was wrong, what was found and what nobody asked for.
//!
//! **Invariant:** the keys that are known are those that were asked for. There is no second list.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::files::{read_private, refuse_open};
use super::mistake::{ConfigError, Mistake, Origin, Wrong};
use super::nearest::nearest;
use super::source::{self, Entries, Entry, Raw};
use super::value::Value;

/// A setting as it is in force.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    /// The value in TOML; `None` if it is not set and has no default.
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
    /// The place in the file whose value the environment overrides.
    pub(super) overrides: Option<Origin>,
}

/// Reads settings from the file and the environment.
#[derive(Debug)]
pub(super) struct Reader {
    file: Entries,
    environment: Entries,
    settings: Vec<Setting>,
    mistakes: Vec<Mistake>,
    /// Keys asked for, which may be more than those in force: `master_key_file` is no setting.
    known: Vec<String>,
    /// Whether the file's syntax is broken, so that what seems missing may stand in it.
    is_partial: bool,
}

impl Reader {
    pub(super) fn new(file: Entries, environment: Entries, mistakes: Vec<Mistake>) -> Self {
        Self {
            file,
            environment,
            settings: Vec::new(),
            is_partial: !mistakes.is_empty(),
            mistakes,
            known: Vec::new(),
        }
    }

    /// The setting `key`, if it is set.
    pub(super) fn optional<T: Value>(&mut self, key: &str) -> Option<T> {
        let (entry, overrides) = self.take(key);
        let Some(entry) = entry else {
            self.record(key, None, Origin::Default, None);
            return None;
        };
        match T::parse(&entry.raw) {
            Ok(value) => {
                self.record(key, Some(value.to_toml()), entry.origin, overrides);
                Some(value)
            }
            Err(wrong) => {
                self.report(key, entry.origin, Some(entry.written), wrong);
                None
            }
        }
    }

    /// The setting `key`, or what it is if nobody sets it.
    pub(super) fn or<T: Value>(&mut self, key: &str, default: T) -> T {
        let value = self.optional(key);
        self.fall_back(key, value, default)
    }

    /// The secret `key`, or what it is if nobody sets it.
    pub(super) fn secret_or<T: Value>(&mut self, key: &str, default: T) -> T {
        let value = self.secret(key);
        self.fall_back(key, value, default)
    }

    /// The setting `key` within bounds, or what it is if nobody sets it.
    pub(super) fn within<T: Value + PartialOrd>(
        &mut self,
        key: &str,
        default: T,
        bounds: &RangeInclusive<T>,
    ) -> T {
        let value = self.or(key, default);
        self.bound(key, &value, bounds);
        value
    }

    /// The setting `key` within bounds, if it is set.
    pub(super) fn optional_within<T: Value + PartialOrd>(
        &mut self,
        key: &str,
        bounds: &RangeInclusive<T>,
    ) -> Option<T> {
        let value = self.optional(key)?;
        self.bound(key, &value, bounds);
        Some(value)
    }

    /// The setting `key`, which has no default.
    pub(super) fn required<T: Value>(&mut self, key: &str, fix: &str) -> Option<T> {
        let value = self.optional(key);
        self.miss(key, fix);
        value
    }

    /// The secret `key`, from itself or from the file that `key_file` names.
    pub(super) fn secret<T: Value>(&mut self, key: &str) -> Option<T> {
        let file_key = format!("{key}_file");
        let (plain, plain_overrides) = self.take(key);
        let (file, file_overrides) = self.take(&file_key);
        let (entry, overrides) = match (plain, file) {
            (Some(plain), Some(file)) => {
                let wrong = Wrong::new(
                    format!("is given twice: here and in the file of {}", file.origin),
                    format!("keep one of {key} and {file_key}"),
                );
                self.report(key, plain.origin, Some(HIDDEN.to_owned()), wrong);
                return None;
            }
            (Some(plain), None) => (plain, plain_overrides),
            (None, Some(named)) => (self.secret_file(&file_key, named)?, file_overrides),
            (None, None) => {
                self.record(key, None, Origin::Default, None);
                return None;
            }
        };
        let value = T::parse(&entry.raw).and_then(|value| {
            let file = match &entry.origin {
                Origin::File { path, .. } if value.is_secret() => path,
                Origin::File { .. }
                | Origin::Default
                | Origin::Environment { .. }
                | Origin::SecretFile { .. } => return Ok(value),
            };
            refuse_open(file)?;
            Ok(value)
        });
        match value {
            Ok(value) => {
                self.record(key, Some(value.to_toml()), entry.origin, overrides);
                Some(value)
            }
            Err(wrong) => {
                self.report(key, entry.origin, Some(HIDDEN.to_owned()), wrong);
                None
            }
        }
    }

    /// The secret `key`, which has no default.
    pub(super) fn required_secret<T: Value>(&mut self, key: &str, fix: &str) -> Option<T> {
        let value = self.secret(key);
        self.miss(key, fix);
        value
    }

    /// Reports that `key` is set and `partner` is not, where only both make sense.
    pub(super) fn alone(&mut self, key: &str, partner: &str) {
        // A partner that is set and wrong is reported already.
        if self
            .setting(partner)
            .is_none_or(|setting| setting.value.is_some())
        {
            return;
        }
        let wrong = Wrong::new(
            format!("is set and {partner} is not"),
            format!("set {partner} too, or neither"),
        );
        self.wrong(key, wrong);
    }

    /// Every key of the section `name` with its value, of a section whose keys are free.
    pub(super) fn section<T: Value>(&mut self, name: &str) -> Vec<(String, T)> {
        self.know(&format!("{name}.NAME"));
        self.keys_of(name)
            .into_iter()
            .filter_map(|key| {
                let value = self.optional(&format!("{name}.{key}"))?;
                Some((key, value))
            })
            .collect()
    }

    /// The keys of the section `name` in the file, without the section, of one whose keys are free;
    /// each with whether it is an empty section itself, which is then known.
    pub(super) fn sections_of(&mut self, name: &str) -> Vec<(String, bool)> {
        let prefix = format!("{name}.");
        let entries = self.file.iter().filter(|(key, _)| key.starts_with(&prefix));
        let keys: Vec<_> = entries
            .map(|(key, entry)| (key.clone(), entry.raw == Raw::EmptySection))
            .collect();
        for (key, _) in keys.iter().filter(|(_, is_empty)| *is_empty) {
            self.file.remove(key);
        }
        keys.into_iter()
            .map(|(key, is_empty)| (key[prefix.len()..].to_owned(), is_empty))
            .collect()
    }

    /// The keys of the section `name` that are set, whatever they mean.
    pub(super) fn keys_of(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}.");
        let keys = self.file.keys().chain(self.environment.keys());
        let keys = keys.filter_map(|key| key.strip_prefix(&prefix));
        let mut keys: Vec<String> = keys.map(str::to_owned).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Notes a key that there may be, for who writes another one.
    pub(super) fn know(&mut self, key: &str) {
        self.known.push(key.to_owned());
    }

    /// Reports that the value of `key` is wrong in the light of another.
    pub(super) fn wrong(&mut self, key: &str, wrong: Wrong) {
        let (origin, value) = self
            .setting(key)
            .map_or((Origin::Default, None), |setting| {
                (setting.origin.clone(), setting.value.clone())
            });
        self.report(key, origin, value, wrong);
    }

    /// What was made of the settings, and they; or every mistake, with the keys that nobody asked
    /// for among them.
    pub(super) fn finish<T>(mut self, made: Option<T>) -> Result<(T, Vec<Setting>), ConfigError> {
        let file = std::mem::take(&mut self.file);
        let environment = std::mem::take(&mut self.environment);
        for (key, entry) in file.into_iter().chain(environment) {
            self.unknown(&key, entry);
        }
        match made {
            Some(made) if self.mistakes.is_empty() => Ok((made, self.settings)),
            Some(_) | None => Err(ConfigError {
                mistakes: self.mistakes,
            }),
        }
    }

    /// The entry in force for `key`, and the place that it overrides.
    fn take(&mut self, key: &str) -> (Option<Entry>, Option<Origin>) {
        self.known.push(key.to_owned());
        let file = self.file.remove(key);
        match self.environment.remove(key) {
            Some(entry) => (Some(entry), file.map(|entry| entry.origin)),
            None => (file, None),
        }
    }

    /// The content of the file that `named` names.
    fn secret_file(&mut self, file_key: &str, named: Entry) -> Option<Entry> {
        let read = PathBuf::parse(&named.raw).and_then(|path| {
            let text = read_private(&path)?;
            Ok((path, text))
        });
        match read {
            Ok((path, text)) => Some(Entry {
                raw: Raw::Bare(text.trim_end_matches(['\r', '\n']).to_owned()),
                written: HIDDEN.to_owned(),
                origin: Origin::SecretFile {
                    path,
                    named_by: Box::new(named.origin),
                },
            }),
            Err(wrong) => {
                self.report(file_key, named.origin, Some(named.written), wrong);
                None
            }
        }
    }

    fn bound<T: Value + PartialOrd>(&mut self, key: &str, value: &T, bounds: &RangeInclusive<T>) {
        if bounds.contains(value) {
            return;
        }
        let (least, most) = (bounds.start().to_toml(), bounds.end().to_toml());
        let wrong = Wrong::new(
            format!("is not between {least} and {most}"),
            format!("write a value from {least} to {most}"),
        );
        self.wrong(key, wrong);
    }

    /// Notes that `default` is in force for `key`, where there is no value.
    fn fall_back<T: Value>(&mut self, key: &str, value: Option<T>, default: T) -> T {
        if value.is_none()
            && let Some(setting) = self.settings.iter_mut().find(|it| it.key == key)
        {
            setting.value = Some(default.to_toml());
        }
        value.unwrap_or(default)
    }

    /// Reports that `key` is missing, if it is and not already reported as wrong.
    fn miss(&mut self, key: &str, fix: &str) {
        if !self.is_partial
            && self
                .setting(key)
                .is_some_and(|setting| setting.value.is_none())
        {
            let wrong = Wrong::new("is missing", fix);
            self.report(key, Origin::Default, None, wrong);
        }
    }

    fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    fn unknown(&mut self, key: &str, entry: Entry) {
        let section = format!("{key}.");
        let is_section = self.known.iter().any(|known| known.starts_with(&section));
        if is_section && entry.raw == Raw::EmptySection {
            return;
        }
        let is_variable = matches!(entry.origin, Origin::Environment { .. });
        let written_as = |key: &str| {
            if is_variable {
                source::variable(key)
            } else {
                key.to_owned()
            }
        };
        let meant = nearest(key, self.known.iter().map(String::as_str));
        let wrong = if is_section {
            let inner = self
                .known
                .iter()
                .filter_map(|known| known.strip_prefix(&section));
            let inner = inner.collect::<Vec<_>>().join(", ");
            Wrong::new(
                "is a section and not a value",
                format!("write [{key}] and below it one of: {inner}"),
            )
        } else {
            let fix = match meant {
                Some(meant) => {
                    format!("write {} if that is meant, or remove it", written_as(meant))
                }
                None => "remove it".to_owned(),
            };
            Wrong::new("is not a key that Keyfob knows", fix)
        };
        // What it holds may be a secret under a name with a typo.
        let names = [key.to_lowercase(), meant.unwrap_or_default().to_owned()];
        let is_secretive = names
            .iter()
            .any(|name| SECRETIVE.iter().any(|word| name.contains(word)));
        let written = if is_secretive {
            HIDDEN.to_owned()
        } else {
            entry.written
        };
        self.report(key, entry.origin, Some(written), wrong);
    }

    fn record(
        &mut self,
        key: &str,
        value: Option<String>,
        origin: Origin,
        overrides: Option<Origin>,
    ) {
        self.settings.push(Setting {
            key: key.to_owned(),
            value,
            origin,
            overrides,
        });
    }

    fn report(&mut self, key: &str, origin: Origin, value: Option<String>, wrong: Wrong) {
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            origin,
            value,
            problem: wrong.problem,
            fix: wrong.fix,
        });
    }
}

/// Words in the names of keys whose values are secrets.
const SECRETIVE: &[&str] = &["key", "secret", "password", "url"];

/// What is shown instead of a secret.
pub(super) const HIDDEN: &str = "(hidden)";
