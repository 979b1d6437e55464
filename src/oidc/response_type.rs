//! Response types ([OAuth 2.0 Multiple Response Types], [OIDC Core section 3]).
//!
//! [OAuth 2.0 Multiple Response Types]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html
//! [OIDC Core section 3]: https://openid.net/specs/openid-connect-core-1_0.html#Authentication

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::client_metadata::IdTokenClaims;
use super::grant_type::GrantType;
use super::signing_algorithm::UnknownName;

/// What the authorization endpoint answers with. `token` alone is none of them: nothing would bind
/// the access token to the request, and OpenID Connect has no use for it
/// ([OIDC Core section 3]).
///
/// [OIDC Core section 3]: https://openid.net/specs/openid-connect-core-1_0.html#Authentication
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum ResponseType {
    /// An authorization code.
    #[default]
    Code,
    /// An ID token.
    IdToken,
    /// An ID token and an access token.
    IdTokenToken,
    /// A code and an ID token.
    CodeIdToken,
    /// A code and an access token.
    CodeToken,
    /// A code, an ID token and an access token.
    CodeIdTokenToken,
}

impl ResponseType {
    /// Every response type that Keyfob has.
    pub const ALL: &[Self] = &[
        Self::Code,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
    ];

    /// The value of `response_type`, in the order in which the specification writes the words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    /// Whether an authorization code is part of the answer.
    #[must_use]
    pub fn has_code(self) -> bool {
        self.has("code")
    }

    /// Whether an ID token is part of the answer.
    #[must_use]
    pub fn has_id_token(self) -> bool {
        self.has("id_token")
    }

    /// Whether an access token is part of the answer.
    #[must_use]
    pub fn has_token(self) -> bool {
        self.has("token")
    }

    /// Whether tokens travel through the browser: in the implicit and the hybrid flow.
    #[must_use]
    pub fn is_front_channel(self) -> bool {
        self.has_id_token() || self.has_token()
    }

    /// The grant types that a client must be registered for to use it ([RFC 7591 section 2.1]).
    ///
    /// [RFC 7591 section 2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-2.1
    pub fn grant_types(self) -> impl Iterator<Item = GrantType> {
        let code = self.has_code().then_some(GrantType::AuthorizationCode);
        let implicit = self.is_front_channel().then_some(GrantType::Implicit);
        code.into_iter().chain(implicit)
    }

    /// What the ID token that comes from the authorization endpoint says of the End-User, to a
    /// client whose ID tokens are otherwise as `registered`. Without an access token there is no
    /// other way to the claims ([OIDC Core section 5.4]); with a code there is a better one.
    ///
    /// [OIDC Core section 5.4]: https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims
    #[must_use]
    pub const fn id_token_claims(self, registered: IdTokenClaims) -> IdTokenClaims {
        match self {
            Self::IdToken => IdTokenClaims::GrantedScopes,
            Self::IdTokenToken => registered,
            Self::Code | Self::CodeIdToken | Self::CodeToken | Self::CodeIdTokenToken => {
                IdTokenClaims::Lean
            }
        }
    }

    fn has(self, word: &str) -> bool {
        self.as_str().split(' ').any(|own| own == word)
    }
}

impl FromStr for ResponseType {
    type Err = UnknownName;

    /// The order of the words does not matter ([OAuth 2.0 Multiple Response Types section 5]).
    ///
    /// [OAuth 2.0 Multiple Response Types section 5]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#Combinations
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        // The names above have their words in the alphabet's order.
        let sorted = words.join(" ");
        let found = Self::ALL.iter().find(|it| it.as_str() == sorted);
        found.copied().ok_or(UnknownName)
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ResponseType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ResponseType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            de::Error::custom(format_args!("{text:?} is not a response type of Keyfob"))
        })
    }
}

/// The response types that a client may use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ResponseTypes(pub Vec<ResponseType>);

impl ResponseTypes {
    /// Whether `response_type` is among them.
    #[must_use]
    pub fn contains(&self, response_type: ResponseType) -> bool {
        self.0.contains(&response_type)
    }

    /// Those of them with which tokens travel through the browser, in order.
    #[must_use]
    pub fn front_channel(&self) -> Self {
        let mut all: Vec<ResponseType> = self.0.clone();
        all.retain(|it| it.is_front_channel());
        all.sort_unstable();
        all.dedup();
        Self(all)
    }
}

impl Default for ResponseTypes {
    fn default() -> Self {
        Self(vec![ResponseType::Code])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_type_is_a_set_of_words() {
        for (text, expected) in [
            ("code", Some(ResponseType::Code)),
            ("id_token", Some(ResponseType::IdToken)),
            ("token id_token", Some(ResponseType::IdTokenToken)),
            ("id_token code", Some(ResponseType::CodeIdToken)),
            ("token code", Some(ResponseType::CodeToken)),
            ("token id_token code", Some(ResponseType::CodeIdTokenToken)),
            ("token", None),
            ("none", None),
            ("code code", None),
            ("code ", None),
            ("code  id_token", None),
            ("CODE", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text:?}");
        }
        for response_type in ResponseType::ALL {
            assert_eq!(response_type.as_str().parse(), Ok(*response_type));
        }
    }
}
