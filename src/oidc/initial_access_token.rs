//! Initial access tokens: who holds one may register clients ([RFC 7591 section 3]).
//!
//! [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use uuid::Uuid;

use super::timestamp::Timestamp;

/// The name of an initial access token, which is no secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct InitialAccessTokenId(pub Uuid);

impl fmt::Display for InitialAccessTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for InitialAccessTokenId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// An initial access token, bounded in number and time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InitialAccessToken {
    /// Its name.
    pub id: InitialAccessTokenId,
    /// Whom the operator made it for, in the operator's words.
    pub note: Option<String>,
    /// How many clients can still be registered with it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
