//! Clients: what RFC 7591 says of them, and what the operator decided beside it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::redirect_uri::RedirectUri;
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
        requested.filtered(|scope| match &self.metadata.scope {
            Some(registered) => registered.contains(scope),
            None => scope::STANDARD.contains(&scope),
        })
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

/// Client metadata as [RFC 7591 section 2] and OpenID Connect Dynamic Client Registration have
/// it, with Keyfob's own members after them. Unknown members are ignored.
///
/// [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ClientMetadata {
    /// The name to show to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a browser may go after logout ([RP-Initiated Logout section 3.1]).
    ///
    /// [RP-Initiated Logout section 3.1]: https://openid.net/specs/openid-connect-rpinitiated-1_0.html#ClientMetadata
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How it authenticates at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// The grants it may use.
    #[serde(deserialize_with = "known_grant_types")]
    pub grant_types: GrantTypes,
    /// The response types it may use.
    pub response_types: ResponseTypes,
    /// `web` or `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// The scopes it may ask for; without it, the standard ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scopes>,
    /// The algorithm that signs its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// The `max_age` of requests that carry none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether its ID tokens always have `auth_time`. They do, whatever it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_auth_time: Option<bool>,
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<WebUri>,
    /// Its logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<WebUri>,
    /// Its privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<WebUri>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<WebUri>,
    /// Addresses of the people responsible for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,

    /// Whether it must use PKCE; public clients always must. Operators can require it of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,
    /// Whether its ID tokens carry the claims of the granted scopes, as many applications expect,
    /// or are lean, as OIDC Core has them.
    pub id_token_claims: IdTokenClaims,
    /// Whether its access tokens are JWTs or opaque.
    pub access_token_format: AccessTokenFormat,
    /// The algorithm that signs its JWT access tokens.
    pub access_token_signed_response_alg: SigningAlgorithm,
    /// The APIs its access tokens are for, beside Keyfob's own userinfo endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_token_audience: Vec<String>,
    /// Whether it gets refresh tokens only with the scope `offline_access`, or always.
    pub refresh_tokens: RefreshTokens,
    /// Whether people are not asked for consent: for first-party clients.
    #[serde(skip_serializing_if = "is_false")]
    pub skip_consent: bool,
    /// Whether it may use the response mode `fragment`.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_fragment: bool,
    /// The groups whose members may use it; empty for everybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_groups: Vec<String>,
    /// Web origins that may call the token, userinfo and revocation endpoints, beside those of
    /// its redirect URIs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
    /// The lifetime of its access tokens in seconds, where it differs from the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// The lifetime of its ID tokens in seconds, where it differs from the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<u64>,
}

impl ClientMetadata {
    /// The lifetime of access tokens, `default` where the client has none of its own.
    #[must_use]
    pub fn access_token_lifetime(&self, default: Duration) -> Duration {
        self.access_token_lifetime
            .map_or(default, Duration::from_secs)
    }

    /// The lifetime of ID tokens, `default` where the client has none of its own.
    #[must_use]
    pub fn id_token_lifetime(&self, default: Duration) -> Duration {
        self.id_token_lifetime.map_or(default, Duration::from_secs)
    }
}

/// How a client authenticates at the token endpoint ([OIDC Core section 9]).
///
/// [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// A secret, by HTTP Basic or in the body: every client with a secret may use either.
    #[default]
    ClientSecretBasic,
    /// As [`Self::ClientSecretBasic`].
    ClientSecretPost,
    /// A public client: it names itself and no more.
    None,
}

/// A grant type ([RFC 6749 section 1.3]).
///
/// [RFC 6749 section 1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-1.3
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// [RFC 6749 section 4.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1)
    AuthorizationCode,
    /// [RFC 6749 section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
    RefreshToken,
    /// [RFC 6749 section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)
    ClientCredentials,
}

impl GrantType {
    /// Every grant type that Keyfob has.
    pub const ALL: &[Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
    ];

    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl FromStr for GrantType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL
            .iter()
            .find(|grant_type| grant_type.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

/// The grants that a client may use.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct GrantTypes(pub Vec<GrantType>);

impl GrantTypes {
    /// Whether `grant_type` is among them.
    #[must_use]
    pub fn contains(&self, grant_type: GrantType) -> bool {
        self.0.contains(&grant_type)
    }
}

impl Default for GrantTypes {
    fn default() -> Self {
        Self(vec![GrantType::AuthorizationCode, GrantType::RefreshToken])
    }
}

/// Reads a list of grant types and leaves out those that Keyfob does not have, as
/// [RFC 7591 section 2] lets a server do.
///
/// [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
fn known_grant_types<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<GrantTypes, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let known = names.iter().filter_map(|name| name.parse().ok());
    Ok(GrantTypes(known.collect()))
}

/// A response type ([OAuth 2.0 Multiple Response Types]).
///
/// [OAuth 2.0 Multiple Response Types]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// An authorization code.
    Code,
}

/// The response types that a client may use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ResponseTypes(pub Vec<ResponseType>);

impl Default for ResponseTypes {
    fn default() -> Self {
        Self(vec![ResponseType::Code])
    }
}

/// The kind of application ([OIDC Registration section 2]).
///
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    Web,
    /// Runs on a person's machine.
    Native,
}

/// An algorithm that signs tokens ([RFC 7518 section 3.1], [RFC 8037 section 3.1]).
///
/// [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037 section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what OIDC Core makes everybody support.
    #[default]
    RS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// Every algorithm that Keyfob signs with.
    pub const ALL: &[Self] = &[Self::RS256, Self::ES256, Self::EdDsa];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL
            .iter()
            .find(|algorithm| algorithm.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not one of those that Keyfob knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of the known names")]
pub struct UnknownName;

/// What a client's ID tokens say of the End-User.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenClaims {
    /// The claims of the granted scopes.
    #[default]
    GrantedScopes,
    /// Who the user is, and no more; the rest is at the userinfo endpoint.
    Lean,
}

/// The form of a client's access tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// A JWT that an API can verify by itself (RFC 9068).
    #[default]
    Jwt,
    /// A reference that only Keyfob can resolve, ended the moment it is revoked.
    Opaque,
}

/// When a client gets refresh tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// With the scope `offline_access`.
    #[default]
    OfflineAccess,
    /// Always.
    Always,
}

/// A URL that a page may link to: https, or http on any host; never a scheme that runs code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct WebUri(String);

impl WebUri {
    /// The URL as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WebUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            let message = format!("{text:?} is not an http or https URL");
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self(text))
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !*value
}
