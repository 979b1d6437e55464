//! End-Users: how they are named, and what is known of them.

use std::fmt;
use std::str::FromStr;

use precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::UsernameCaseMapped;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::timestamp::Timestamp;

/// The subject identifier of a user: stable, never reassigned, saying nothing about the person
/// ([OIDC Core section 2]).
///
/// [OIDC Core section 2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UserId(pub Uuid);

impl FromStr for UserId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A user name in its one canonical form: case, width and normalisation mapped by the
/// UsernameCaseMapped profile of [RFC 8265 section 3.3].
///
/// [RFC 8265 section 3.3]: https://www.rfc-editor.org/rfc/rfc8265#section-3.3
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Username(String);

/// A text that is not a user name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a user name is 1 to 64 letters, digits or marks, without spaces and without @")]
pub struct UsernameError;

impl Username {
    /// The canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        if text.len() > 256 {
            return Err(UsernameError);
        }
        let canonical =
            UsernameCaseMapped::enforce(text.trim_matches(' ')).map_err(|_| UsernameError)?;
        // With an @ it could be taken for somebody's e-mail address at login.
        if canonical.contains('@') || canonical.chars().count() > 64 {
            return Err(UsernameError);
        }
        Ok(Self(canonical.into_owned()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key under which a user is found by e-mail address, so that one address is one user.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EmailKey(String);

impl EmailKey {
    /// The key of `address`; `None` if it is not of the form of an address.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let address = address.trim();
        let (local, domain) = address.rsplit_once('@')?;
        let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
        let has_parts = !local.is_empty() && !domain.is_empty() && address.len() <= 254;
        (is_plain && has_parts).then(|| Self(address.to_lowercase()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person typed to say who they are: a user name or an e-mail address.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum LoginName {
    /// A user name.
    Username(Username),
    /// An e-mail address.
    Email(EmailKey),
}

impl LoginName {
    /// Reads what was typed; `None` if nobody can be called that.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.contains('@') {
            return EmailKey::of(typed).map(Self::Email);
        }
        typed.parse().ok().map(Self::Username)
    }
}

/// The argon2id hash of a password as a PHC string.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash that this PHC string is.
    #[must_use]
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A registered user.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject identifier.
    pub id: UserId,
    /// The name to sign in with.
    pub username: Username,
    /// The hash of the password, if there is one.
    pub password: Option<PasswordHash>,
    /// What is known of the person.
    pub claims: StandardClaims,
    /// The groups the user is a member of.
    pub groups: Vec<String>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user was last changed: the claim `updated_at`.
    pub updated_at: Timestamp,
    /// When the user was disabled, if so.
    pub disabled_at: Option<Timestamp>,
}

impl User {
    /// Whether the user may sign in and be spoken for.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether the user may use a client that is open to `groups`; open to all if there are none.
    #[must_use]
    pub fn is_in_one_of(&self, groups: &[String]) -> bool {
        groups.is_empty() || groups.iter().any(|group| self.groups.contains(group))
    }

    /// The name to show.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.claims
            .name
            .as_deref()
            .unwrap_or_else(|| self.username.as_str())
    }
}

/// The standard claims that an operator can set ([OIDC Core section 5.1]). `sub`,
/// `preferred_username` (unless set) and `updated_at` come from the user itself.
///
/// [OIDC Core section 5.1]: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "each is documented in OIDC Core section 5.1 under its name"
)]
pub struct StandardClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// The claim `address` ([OIDC Core section 5.1.1]).
///
/// [OIDC Core section 5.1.1]: https://openid.net/specs/openid-connect-core-1_0.html#AddressClaim
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "each is documented in OIDC Core section 5.1.1 under its name"
)]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_type_a_user_name_is_the_same_name() {
        let alice: Username = "alice".parse().unwrap();
        for typed in ["ALICE", " alice ", "Alice", "\u{ff41}lice"] {
            assert_eq!(typed.parse(), Ok(alice.clone()), "{typed:?}");
        }
        for typed in ["", " ", "a b", "alice@x", "a\0", "a\n", &"a".repeat(65)] {
            assert!(typed.parse::<Username>().is_err(), "{typed:?}");
        }
    }
}
