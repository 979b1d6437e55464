//! The types that settings have: how each is written, and how it is shown.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::mistake::Wrong;
use super::source::Raw;
use crate::oidc::issuer::Issuer;

/// A type of setting.
pub(super) trait Value: Sized {
    /// Reads it from what was written.
    fn parse(raw: &Raw) -> Result<Self, Wrong>;

    /// Writes it as a TOML value; a secret is not shown.
    fn to_toml(&self) -> String;

    /// Whether it has something in it that must not be shown.
    fn is_secret(&self) -> bool {
        false
    }
}

/// The string that was written.
pub(super) fn text(raw: &Raw) -> Result<&str, Wrong> {
    match raw {
        Raw::Text(text) | Raw::Bare(text) if text.trim().is_empty() => Err(Wrong::new(
            "is empty",
            "write a value, or leave the key out",
        )),
        Raw::Bare(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
            Err(Wrong::new("is not UTF-8", "write it in UTF-8"))
        }
        Raw::Text(text) | Raw::Bare(text) => Ok(text),
        Raw::Integer(_) | Raw::Boolean(_) | Raw::List(_) | Raw::EmptySection | Raw::Other => {
            Err(Wrong::new("is not a string", "write a string, in quotes"))
        }
    }
}

/// A string as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A span as it is written in the configuration: the largest unit that divides it.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let unit = UNITS
        .iter()
        .find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length));
    match unit {
        Some((unit, length)) => format!("{}{unit}", seconds / length),
        None => format!("{seconds}s"),
    }
}

/// Reads what [`span`] writes.
pub(super) fn parse_span(text: &str) -> Option<Duration> {
    let seconds = UNITS.iter().find_map(|(unit, length)| {
        let digits = text.strip_suffix(unit)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = is_number.then(|| digits.parse().ok())??;
        count.checked_mul(*length)
    });
    seconds.map(Duration::from_secs)
}

impl Value for String {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let text = text(raw)?;
        if text.chars().any(char::is_control) {
            return Err(Wrong::new(
                "has control characters",
                "write it on one line, without control characters",
            ));
        }
        Ok(text.to_owned())
    }

    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Value for bool {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        match raw {
            Raw::Boolean(truth) => Ok(*truth),
            Raw::Bare(text) if text.trim() == "true" => Ok(true),
            Raw::Bare(text) if text.trim() == "false" => Ok(false),
            Raw::Text(_)
            | Raw::Bare(_)
            | Raw::Integer(_)
            | Raw::List(_)
            | Raw::EmptySection
            | Raw::Other => Err(Wrong::new(
                "is neither true nor false",
                "write true or false, without quotes",
            )),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

/// Numbers: all of them read alike.
macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl Value for $number {
            fn parse(raw: &Raw) -> Result<Self, Wrong> {
                let number = match raw {
                    Raw::Integer(number) => Self::try_from(*number).ok(),
                    Raw::Bare(text) => text.trim().parse().ok(),
                    Raw::Text(_)
                    | Raw::Boolean(_)
                    | Raw::List(_)
                    | Raw::EmptySection
                    | Raw::Other => None,
                };
                number.ok_or_else(|| {
                    Wrong::new(
                        "is not a whole number of zero or more",
                        "write a whole number, without quotes",
                    )
                })
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

whole_numbers!(u32, usize);

impl Value for Duration {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                "is not a span of time",
                "write a whole number and a unit, in quotes: \"60s\", \"15m\", \"1h\" or \"30d\"",
            )
        };
        let (Raw::Text(text) | Raw::Bare(text)) = raw else {
            return Err(wrong());
        };
        parse_span(text.trim()).ok_or_else(wrong)
    }

    fn to_toml(&self) -> String {
        quoted(&span(*self))
    }
}

/// A span of time, or `"off"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Switchable(pub(super) Option<Duration>);

impl Value for Switchable {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        if matches!(raw, Raw::Text(text) | Raw::Bare(text) if text.trim() == "off") {
            return Ok(Self(None));
        }
        Duration::parse(raw)
            .map(|span| Self(Some(span)))
            .map_err(|wrong| Wrong {
                problem: "is neither a span of time nor \"off\"".to_owned(),
                fix: format!("{}; or \"off\"", wrong.fix),
            })
    }

    fn to_toml(&self) -> String {
        self.0.map_or_else(|| quoted("off"), |span| span.to_toml())
    }
}

impl Value for PathBuf {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        text(raw).map(Self::from)
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Value for Issuer {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        text(raw)?
            .parse()
            .map_err(|error: crate::oidc::issuer::IssuerError| {
                Wrong::new("is not a base URL", error.to_string())
            })
    }

    fn to_toml(&self) -> String {
        quoted(self.as_str())
    }
}

impl Value for SocketAddr {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let text = text(raw)?;
        let example = match text.parse::<IpAddr>() {
            Ok(address) => Self::new(address, 8484).to_string(),
            Err(_) => "127.0.0.1:8484".to_owned(),
        };
        text.parse().map_err(|_| {
            Wrong::new(
                "is not an address and a port",
                format!(
                    "write an IP address and a port, such as {}",
                    quoted(&example)
                ),
            )
        })
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Names: a list of strings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Names(pub(super) Vec<String>);

impl Value for Names {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                "is not a list of names",
                "write strings, such as [\"read\", \"write\"] (in the environment: with commas \
                 between)",
            )
        };
        match raw {
            Raw::Bare(text) => {
                let names = text.split(',').map(str::trim);
                let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
                Ok(Self(names.collect()))
            }
            Raw::List(items) => {
                let names = items.iter().map(String::parse);
                let names: Result<_, _> = names.collect();
                names.map(Self).map_err(|_| wrong())
            }
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::EmptySection | Raw::Other => {
                Err(wrong())
            }
        }
    }

    fn to_toml(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|name| quoted(name)).collect();
        format!("[{}]", names.join(", "))
    }
}

impl Value for Vec<IpNet> {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                "is not a list of networks",
                "write networks or addresses, such as [\"10.0.0.0/8\", \"127.0.0.1\"] \
                 (in the environment: with commas between)",
            )
        };
        let network = |text: &str| {
            let text = text.trim();
            let address = text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or(address).map_err(|_| {
                Wrong::new(
                    format!("has {}, which is no network and no address", quoted(text)),
                    wrong().fix,
                )
            })
        };
        match raw {
            Raw::Bare(text) => {
                let parts = text.split(',').filter(|part| !part.trim().is_empty());
                parts.map(network).collect()
            }
            Raw::List(items) => items
                .iter()
                .map(|item| network(text(item).map_err(|_| wrong())?))
                .collect(),
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::EmptySection | Raw::Other => {
                Err(wrong())
            }
        }
    }

    fn to_toml(&self) -> String {
        let networks: Vec<_> = self.iter().map(|it| quoted(&it.to_string())).collect();
        format!("[{}]", networks.join(", "))
    }
}

/// The units of time, the longest first, with their length in seconds.
const UNITS: &[(&str, u64)] = &[("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
