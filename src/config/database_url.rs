//! The database URL, whose password is not shown.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::mistake::Wrong;
use super::source::Raw;
use super::value::{Value, quoted, text};

/// Where the database is: `sqlite:FILE`, `sqlite::memory:` or `postgres://…`. Its password is not
/// shown.
#[derive(Clone, Eq, PartialEq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with the password in it, for the one that connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.0.starts_with("sqlite:")
    }

    /// Whether it is a database that ends with the process.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.0 == "sqlite::memory:"
    }

    /// Whether what goes to the database may go over a network in the clear: another machine, and
    /// no `sslmode` that insists on TLS.
    #[must_use]
    pub fn may_be_in_the_clear(&self) -> bool {
        let Some(url) = self.network() else {
            return false;
        };
        let is_local = match url.host() {
            None => true,
            // A directory with percent signs is a Unix socket.
            Some(Host::Domain(name)) => {
                name.is_empty() || name == "localhost" || name.starts_with("%2F")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
        };
        let insists = url.query_pairs().any(|(name, value)| {
            matches!(&*name, "sslmode" | "ssl-mode")
                && matches!(&*value, "require" | "verify-ca" | "verify-full")
        });
        let is_socket = url
            .query_pairs()
            .any(|(name, value)| name == "host" && value.starts_with('/'));
        !(is_local || insists || is_socket)
    }

    /// Whether it has a password in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.network().is_some_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
    }

    fn network(&self) -> Option<Url> {
        if self.is_sqlite() {
            return None;
        }
        Url::parse(&self.0).ok()
    }
}

impl Default for DatabaseUrl {
    /// A file in the working directory.
    fn default() -> Self {
        Self("sqlite:keyfob.db".to_owned())
    }
}

/// Shows it without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(mut url) = self.network() else {
            return f.write_str(&self.0);
        };
        if url.password().is_some() {
            // Fails only for URLs that cannot have a password.
            let _ = url.set_password(Some("hidden"));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if pairs.iter().any(|(name, _)| name == "password") {
            let shown = pairs.iter().map(|(name, value)| match name.as_str() {
                "password" => (name.as_str(), "hidden"),
                _ => (name.as_str(), value.as_str()),
            });
            url.query_pairs_mut().clear().extend_pairs(shown);
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Why a text is not the URL of a database that Keyfob has.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// No URL at all.
    #[error("is not a database URL")]
    NotAUrl,
    /// A URL that cannot be read.
    #[error("is not a URL: {0} (percent-encode what is special in the password)")]
    Malformed(#[from] url::ParseError),
    /// A URL without the part that says which database.
    #[error("names no database")]
    NoDatabase,
    /// SQLite's parameters are Keyfob's own to set.
    #[error("has parameters, which SQLite's has none of here")]
    SqliteParameters,
    /// A database of another kind.
    #[error("is of the kind {0}:, which Keyfob does not have")]
    UnknownKind(String),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        match text.split_once(':') {
            Some(("sqlite", path)) => {
                if path.trim_start_matches('/').is_empty() {
                    return Err(DatabaseUrlError::NoDatabase);
                }
                if path.contains('?') {
                    return Err(DatabaseUrlError::SqliteParameters);
                }
            }
            Some(("postgres" | "postgresql", rest)) => {
                let url = Url::parse(text)?;
                if !rest.starts_with("//") || url.path().trim_start_matches('/').is_empty() {
                    return Err(DatabaseUrlError::NoDatabase);
                }
            }
            Some((kind, _)) if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(DatabaseUrlError::UnknownKind(kind.to_owned()));
            }
            Some(_) | None => return Err(DatabaseUrlError::NotAUrl),
        }
        Ok(Self(text.to_owned()))
    }
}

impl Value for DatabaseUrl {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        text(raw)?.parse().map_err(|error: DatabaseUrlError| {
            Wrong::new(
                error.to_string(),
                "write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE",
            )
        })
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }

    fn is_secret(&self) -> bool {
        self.has_password()
    }
}
