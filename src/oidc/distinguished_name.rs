//! Distinguished names, as text ([RFC 4514]).
//!
//! [RFC 4514]: https://www.rfc-editor.org/rfc/rfc4514

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A distinguished name: sets of attributes, in the order of a certificate, which is the reverse of
/// the text's. Attributes are told apart by their object identifiers; values are compared to the
/// character.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DistinguishedName {
    text: String,
    relative: Vec<Vec<(String, String)>>,
}

/// A text that is not a distinguished name, or one with an attribute that Keyfob does not know.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not a distinguished name, such as CN=app,O=Example,C=DE")]
pub struct DistinguishedNameError;

impl DistinguishedName {
    /// Whether it is the one with these sets of attributes, each an object identifier and a value,
    /// in the order of a certificate. Within a set the order says nothing.
    #[must_use]
    pub fn is(&self, relative: &[Vec<(String, String)>]) -> bool {
        let sorted = |set: &Vec<(String, String)>| {
            let mut set = set.clone();
            set.sort();
            set
        };
        let own = self.relative.iter().map(sorted);
        own.eq(relative.iter().map(sorted))
    }
}

impl FromStr for DistinguishedName {
    type Err = DistinguishedNameError;

    fn from_str(text: &str) -> Result<Self, DistinguishedNameError> {
        let mut relative = Vec::new();
        for set in split(text, &[',', ';']) {
            let attributes = split(set, &['+']).into_iter().map(attribute);
            let attributes: Option<Vec<_>> = attributes.collect();
            relative.push(attributes.ok_or(DistinguishedNameError)?);
        }
        relative.reverse();
        let text = text.to_owned();
        Ok(Self { text, relative })
    }
}

impl TryFrom<String> for DistinguishedName {
    type Error = DistinguishedNameError;

    fn try_from(text: String) -> Result<Self, DistinguishedNameError> {
        text.parse()
    }
}

impl From<DistinguishedName> for String {
    fn from(name: DistinguishedName) -> Self {
        name.text
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Splits at separators that are not escaped.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (index, character) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' {
            is_escaped = true;
        } else if separators.contains(&character) {
            parts.push(&text[start..index]);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn attribute(text: &str) -> Option<(String, String)> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let is_oid = kind.contains('.') && kind.bytes().all(|byte| b"0123456789.".contains(&byte));
    let oid = if is_oid {
        kind
    } else {
        let mut known = KINDS.iter();
        known.find(|(name, _)| name.eq_ignore_ascii_case(kind))?.1
    };
    Some((oid.to_owned(), unescape(value.trim_start())?))
}

/// [RFC 4514 section 3](https://www.rfc-editor.org/rfc/rfc4514#section-3); values in hexadecimal
/// (`#04…`) are not read.
fn unescape(value: &str) -> Option<String> {
    if value.is_empty() || value.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::new();
    // Spaces at the end belong to the value only if the last is escaped.
    let mut length = 0;
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            if byte != b' ' {
                length = bytes.len();
            }
            continue;
        }
        let (&escaped, after) = rest.split_first()?;
        let digits = std::str::from_utf8(rest.get(..2).unwrap_or_default());
        let hexadecimal = digits.ok().filter(|it| it.len() == 2);
        let hexadecimal = hexadecimal.and_then(|it| u8::from_str_radix(it, 16).ok());
        if let Some(byte) = hexadecimal {
            bytes.push(byte);
            rest = &rest[2..];
        } else if b"\"+,;<>\\ #=".contains(&escaped) {
            bytes.push(escaped);
            rest = after;
        } else {
            return None;
        }
        length = bytes.len();
    }
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

/// The attributes that have names ([RFC 4514 section 3], and those usual in certificates).
///
/// [RFC 4514 section 3]: https://www.rfc-editor.org/rfc/rfc4514#section-3
const KINDS: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("GN", "2.5.4.42"),
    ("organizationIdentifier", "2.5.4.97"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("E", "1.2.840.113549.1.9.1"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(sets: &[&[(&str, &str)]]) -> Vec<Vec<(String, String)>> {
        let pair = |(oid, value): &(&str, &str)| ((*oid).to_owned(), (*value).to_owned());
        let sets = sets.iter().map(|set| set.iter().map(pair).collect());
        sets.collect()
    }

    #[test]
    fn a_text_is_the_name_with_the_same_attributes_in_the_same_order() {
        let name = certificate(&[
            &[("2.5.4.6", "DE")],
            &[("2.5.4.10", "Example, Inc.")],
            &[("2.5.4.3", "app"), ("2.5.4.5", "7")],
        ]);
        for (text, expected) in [
            (r"CN=app+SERIALNUMBER=7,O=Example\, Inc.,C=DE", true),
            (r"serialNumber=7 + cn=app, O=Example\2C Inc., C=DE ", true),
            (r"2.5.4.3=app+2.5.4.5=7,O=Example\, Inc.,C=DE", true),
            (r"C=DE,O=Example\, Inc.,CN=app+SERIALNUMBER=7", false),
            (r"CN=App+SERIALNUMBER=7,O=Example\, Inc.,C=DE", false),
            (r"CN=app,O=Example\, Inc.,C=DE", false),
            (r"CN=app+SERIALNUMBER=7,O=Example\, Inc.", false),
            (r"CN=app\ +SERIALNUMBER=7,O=Example\, Inc.,C=DE", false),
        ] {
            let parsed: DistinguishedName = text.parse().unwrap();
            assert_eq!(parsed.is(&name), expected, "{text}");
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for text in [
            "", "app", "CN=", "CN=app,", "X=app", r"CN=a\", r"CN=a\q", "CN=#0401", "=a",
        ] {
            let parsed = text.parse::<DistinguishedName>();
            assert_eq!(parsed, Err(DistinguishedNameError), "{text}");
        }
    }
}
