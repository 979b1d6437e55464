//! Client metadata: what RFC 7591 says of clients, and what the operator decided beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client_authentication_method::ClientAuthenticationMethod;
use super::distinguished_name::DistinguishedName;
use super::encryption_algorithm::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use super::grant_type::{GrantTypes, known_grant_types};
use super::jwks::Jwks;
use super::jws_algorithm::JwsAlgorithm;
use super::logout_uri::LogoutUri;
use super::profile::Profile;
use super::redirect_uri::RedirectUri;
use super::request_object::RequestObjectSigningAlgorithm;
use super::request_uri::RequestUri;
use super::response_type::ResponseTypes;
use super::scope::Scopes;
use super::signing_algorithm::SigningAlgorithm;
use super::subject_type::SubjectType;
use super::token_exchange::TokenExchangePolicy;
use super::web_uri::WebUri;
use super::workload_identity::WorkloadIdentity;

/// Client metadata as [RFC 7591 section 2] and OpenID Connect Dynamic Client Registration have
/// it, with Keyfob's own members after them. Unknown members are ignored.
///
/// [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the members that the specifications make booleans"
)]
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
    /// Where it is told server to server that a session has ended
    /// ([Back-Channel Logout section 2.2]).
    ///
    /// [Back-Channel Logout section 2.2]: https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRegistration
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<LogoutUri>,
    /// Whether it needs `sid` in logout tokens. They have it, whatever it says.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// Where it is told through the browser that a session has ended
    /// ([Front-Channel Logout section 2]).
    ///
    /// [Front-Channel Logout section 2]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<LogoutUri>,
    /// Whether it is then told which session: `iss` and `sid`.
    #[serde(skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
    /// How it authenticates at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// The one algorithm that it signs its assertions with; without it, any of its method's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<JwsAlgorithm>,
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// Where its public keys are. Not beside `jwks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<WebUri>,
    /// The subject of its certificate ([RFC 8705 section 2.1.2]), where it is known by that.
    ///
    /// [RFC 8705 section 2.1.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<DistinguishedName>,
    /// The DNS name in its certificate, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// The URI in its certificate, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// The IP address in its certificate, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// The e-mail address in its certificate, where it is known by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// The grants it may use.
    #[serde(deserialize_with = "known_grant_types")]
    pub grant_types: GrantTypes,
    /// The response types it may use.
    pub response_types: ResponseTypes,
    /// The response modes it may use; any that there is, without it
    /// ([FAPI 2.0 Message Signing section 5.4](https://openid.net/specs/fapi-message-signing-2_0-final.html#section-5.4)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes: Vec<String>,
    /// `web` or `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<ApplicationType>,
    /// The scopes it may ask for; without it, the standard ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scopes>,
    /// What its users are called by: what every client calls them, or what only its own sector
    /// does ([OIDC Core section 8]).
    ///
    /// [OIDC Core section 8]: https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// Where the redirect URIs of all clients of its sector are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<WebUri>,
    /// The algorithm that signs its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// How its ID tokens are encrypted, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// The second half of that: A128CBC-HS256, if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// The algorithm that signs what the userinfo endpoint tells it; without it, that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// How that is encrypted, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// The second half of that: A128CBC-HS256, if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// The algorithm that signs what the introspection endpoint tells it, where it asks for a JWT;
    /// without it, RS256 ([RFC 9701 section 6]).
    ///
    /// [RFC 9701 section 6]: https://www.rfc-editor.org/rfc/rfc9701#section-6
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlgorithm>,
    /// How that JWT is encrypted, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// The second half of that: A128CBC-HS256, if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// The algorithm that signs its authorization responses, where it asks for signed ones;
    /// without it, RS256 ([JARM section 3]).
    ///
    /// [JARM section 3]: https://openid.net/specs/oauth-v2-jarm-final.html#section-3
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SigningAlgorithm>,
    /// How the signed ones are encrypted, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// The second half of that: A128CBC-HS256, if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// The `max_age` of requests that carry none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// The authentication context classes of requests that name none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
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
    /// What names the software that it is an instance of, across instances and versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The version of that software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Where others send a browser so that it begins a sign-in ([OIDC Core section 4]).
    ///
    /// [OIDC Core section 4]: https://openid.net/specs/openid-connect-core-1_0.html#ThirdPartyInitiatedLogin
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<WebUri>,

    /// The security profile that it is held to.
    #[serde(skip_serializing_if = "Profile::is_none")]
    pub profile: Profile,
    /// Whether it must use PKCE; public clients always must. Operators can require it of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,
    /// The types of authorization details that it may ask for ([RFC 9396 section 10]).
    ///
    /// [RFC 9396 section 10]: https://www.rfc-editor.org/rfc/rfc9396#section-10
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// How it signs its request objects; as it likes, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectSigningAlgorithm>,
    /// Whether its authorization requests must come in signed request objects
    /// ([RFC 9101 section 10.5]).
    ///
    /// [RFC 9101 section 10.5]: https://www.rfc-editor.org/rfc/rfc9101#section-10.5
    #[serde(skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    /// Where its request objects may be fetched, if they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<RequestUri>,
    /// Whether this public client may leave PKCE out, against [RFC 9700 section 2.1.1].
    ///
    /// [RFC 9700 section 2.1.1]: https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1
    #[serde(skip_serializing_if = "is_false")]
    pub allow_public_without_pkce: bool,
    /// Whether it must push its authorization requests ([RFC 9126 section 6]).
    ///
    /// [RFC 9126 section 6]: https://www.rfc-editor.org/rfc/rfc9126#section-6
    #[serde(skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    /// Whether its ID tokens carry the claims of the granted scopes, as many applications expect,
    /// or are lean, as OIDC Core has them.
    pub id_token_claims: IdTokenClaims,
    /// Whether its access tokens are JWTs or opaque.
    pub access_token_format: AccessTokenFormat,
    /// The algorithm that signs its JWT access tokens.
    pub access_token_signed_response_alg: SigningAlgorithm,
    /// Whether its access tokens are always bound to a key of its own
    /// ([RFC 9449 section 5.2](https://www.rfc-editor.org/rfc/rfc9449#section-5.2)).
    #[serde(skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens: bool,
    /// Whether its access tokens are bound to the certificate that it shows
    /// ([RFC 8705 section 3.4](https://www.rfc-editor.org/rfc/rfc8705#section-3.4)).
    #[serde(skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
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
    /// What it may exchange tokens for, if it has that grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenExchangePolicy>,
    /// The workloads that are this client, if it has the JWT bearer grant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workload_identities: Vec<WorkloadIdentity>,
    /// The lifetime of its access tokens in seconds, where it differs from the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u64>,
    /// The lifetime of its ID tokens in seconds, where it differs from the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_lifetime: Option<u64>,
}

impl ClientMetadata {
    /// Whether it wants to be told when a session ends.
    #[must_use]
    pub fn wants_to_know_of_logout(&self) -> bool {
        self.backchannel_logout_uri.is_some() || self.frontchannel_logout_uri.is_some()
    }

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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}
