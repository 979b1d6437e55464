//! The configuration in force, as TOML that says where each value comes from.

use std::fmt::Write as _;

use serde_json::json;

use super::Config;
use super::reader::Setting;
use super::value::quoted;

impl Config {
    /// The configuration in force as TOML: secrets hidden, each line with the place that its
    /// value comes from, and the place that it overrides.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut text = String::new();
        let has_section = |setting: &&Setting| setting.key.contains('.');
        for setting in self.settings.iter().filter(|setting| !has_section(setting)) {
            line(&mut text, &setting.key, setting);
        }
        let mut section = "";
        for setting in self.settings.iter().filter(has_section) {
            let Some((own, name)) = split(&setting.key) else {
                continue;
            };
            if own != section {
                // Writing to a string does not fail.
                let _ = write!(text, "\n[{}]\n", heading(own));
                section = own;
            }
            line(&mut text, &bare_or_quoted(name), setting);
        }
        text
    }

    /// Each setting in force for scripts: `key`, `value` in TOML or null, `source`, and `overrides`
    /// where the environment overrides the file.
    pub fn settings(&self) -> impl Iterator<Item = serde_json::Value> {
        self.settings.iter().map(|setting| {
            json!({
                "key": setting.key,
                "value": setting.value,
                "source": setting.origin.to_string(),
                "overrides": setting.overrides.as_ref().map(ToString::to_string),
            })
        })
    }
}

fn line(text: &mut String, name: &str, setting: &Setting) {
    let _ = match &setting.value {
        Some(value) => write!(text, "{name} = {value}  # {}", setting.origin),
        None => write!(text, "# {name} is not set"),
    };
    if let Some(overridden) = &setting.overrides {
        let _ = write!(text, ", overrides {overridden}");
    }
    text.push('\n');
}

/// The section of a key, and its name there.
fn split(key: &str) -> Option<(&str, &str)> {
    if key.starts_with("trusted_issuers.") {
        return key.rsplit_once('.');
    }
    if !key.starts_with("api.") {
        return key.split_once('.');
    }
    // A URI has dots, and a scope may have some.
    match key.rsplit_once(".scopes.") {
        Some((own, scope)) => key.get(..own.len() + ".scopes".len()).zip(Some(scope)),
        None => key.rsplit_once('.'),
    }
}

/// A section as TOML writes it.
fn heading(section: &str) -> String {
    if let Some(name) = section.strip_prefix("trusted_issuers.") {
        return format!("trusted_issuers.{}", bare_or_quoted(name));
    }
    let Some(api) = section.strip_prefix("api.") else {
        return section.to_owned();
    };
    match api.strip_suffix(".scopes") {
        Some(identifier) => format!("api.{}.scopes", quoted(identifier)),
        None => format!("api.{}", quoted(api)),
    }
}

/// A key as TOML writes it.
fn bare_or_quoted(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}
