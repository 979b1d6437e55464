//! Sessions: a browser in which somebody has signed in.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::timestamp::Timestamp;
use super::user::UserId;

/// The identifier of a session, the claim `sid` ([Front-Channel Logout section 3]). It is no
/// secret: the cookie is another value.
///
/// [Front-Channel Logout section 3]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SessionId(pub Uuid);

impl FromStr for SessionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A browser in which somebody has signed in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The claim `sid`.
    pub id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// When they last proved who they are: the claim `auth_time`.
    pub authenticated_at: Timestamp,
    /// How: the claim `amr` ([RFC 8176]).
    ///
    /// [RFC 8176]: https://www.rfc-editor.org/rfc/rfc8176
    pub amr: Vec<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}
