//! Clients ([RFC 6749 section 2]).
//!
//! [RFC 6749 section 2]: https://www.rfc-editor.org/rfc/rfc6749#section-2

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::ClientMetadata;
use super::scope::{self, Scopes};
use super::secret::Digest;
use super::timestamp::Timestamp;

/// A client identifier: 1 to 255 printable ASCII characters ([RFC 6749 section 2.2]).
///
/// [RFC 6749 section 2.2]: https://www.rfc-editor.org/rfc/rfc6749#section-2.2
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ClientId(String);

/// A text that is not a client identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a client_id is 1 to 255 printable ASCII characters")]
pub struct ClientIdError;

impl ClientId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let is_visible = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        if text.is_empty() || text.len() > 255 || !is_visible {
            return Err(ClientIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier, which never changes.
    pub id: ClientId,
    /// What it, or the operator for it, registered.
    pub metadata: ClientMetadata,
    /// The digests of its secret, of a confidential client.
    pub secret: Option<ClientSecrets>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its registration was last changed.
    pub updated_at: Timestamp,
    /// When it was disabled, if it is.
    pub disabled_at: Option<Timestamp>,
    /// When it registered itself; none of a client that an operator registered.
    pub self_registered_at: Option<Timestamp>,
}

/// The digests of a client's secret; during a rotation the one before is valid too.
#[derive(Clone, Debug)]
pub struct ClientSecrets {
    /// The secret that was made last.
    pub current: Digest,
    /// The secret before it, and the instant until which it is still accepted.
    pub previous: Option<(Digest, Timestamp)>,
}

impl ClientSecrets {
    /// Whether `presented` is a secret that is valid at `now`.
    #[must_use]
    pub fn accept(&self, presented: &Digest, now: Timestamp) -> bool {
        // No short circuit: both comparisons run, whichever matches.
        let current = self.current.matches(presented);
        let previous = self
            .previous
            .as_ref()
            .is_some_and(|(digest, until)| digest.matches(presented) && now < *until);
        current | previous
    }
}

impl Client {
    /// Whether it may be used.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether an operator has vouched for it, and not it alone for itself.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.self_registered_at.is_none()
    }

    /// Whether it authenticates at the token endpoint ([RFC 6749 section 2.1]).
    ///
    /// [RFC 6749 section 2.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.1
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.metadata.token_endpoint_auth_method != ClientAuthenticationMethod::None
    }

    /// The name to show to people.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata
            .client_name
            .as_deref()
            .unwrap_or_else(|| self.id.as_str())
    }

    /// Those of the requested scopes that this client may have. Unknown ones are left out
    /// ([RFC 6749 section 3.3]).
    ///
    /// [RFC 6749 section 3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
    #[must_use]
    pub fn permitted(&self, requested: &Scopes) -> Scopes {
        requested.filtered(|scope| self.may_have(scope))
    }

    /// Whether this client may have `scope`.
    #[must_use]
    pub fn may_have(&self, scope: &str) -> bool {
        match &self.metadata.scope {
            Some(registered) => registered.contains(scope),
            None => scope::STANDARD.contains(&scope),
        }
    }

    /// Whether a page of `origin` may read this client's answers from the token, userinfo and
    /// revocation endpoints.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        let metadata = &self.metadata;
        metadata.allowed_origins.iter().any(|own| own == origin)
            || metadata
                .redirect_uris
                .iter()
                .any(|uri| uri.is_of_origin(origin))
    }
}
