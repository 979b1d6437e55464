//! The provider's metadata ([OIDC Discovery section 3], [RFC 8414 section 2]).
//!
//! Each member is made from what is there, so that the document cannot say more.
//!
//! [OIDC Discovery section 3]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
//! [RFC 8414 section 2]: https://www.rfc-editor.org/rfc/rfc8414#section-2

use serde::Serialize;

use super::acr;
use super::claims;
use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata;
use super::encryption_algorithm::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use super::grant_type::GrantType;
use super::issuer::Issuer;
use super::jws_algorithm::JwsAlgorithm;
use super::policy::{ClientCertificatePolicy, MetadataDocumentPolicy, Policy, RegistrationMode};
use super::response_mode::{Carrier, SIGNED};
use super::response_type::ResponseTypes;
use super::scope;
use super::subject_type::SubjectType;

/// The paths of the endpoints below the issuer.
pub mod path {
    /// Where browsers start.
    pub const AUTHORIZATION: &str = "/oauth2/authorize";
    /// Where clients get tokens.
    pub const TOKEN: &str = "/oauth2/token";
    /// Where clients push authorization requests.
    pub const PUSHED_AUTHORIZATION_REQUEST: &str = "/oauth2/par";
    /// Where clients learn about the user.
    pub const USERINFO: &str = "/oauth2/userinfo";
    /// Where APIs ask whether a token is good.
    pub const INTROSPECTION: &str = "/oauth2/introspect";
    /// Where clients give tokens back.
    pub const REVOCATION: &str = "/oauth2/revoke";
    /// Where devices begin.
    pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device";
    /// Where browsers sign out.
    pub const END_SESSION: &str = "/oauth2/logout";
    /// What relying parties frame to watch the session.
    pub const CHECK_SESSION: &str = "/oauth2/check-session";
    /// Where people type the code that a device shows them: short, since they type this, too.
    pub const DEVICE: &str = "/device";
    /// Where clients register themselves.
    pub const REGISTRATION: &str = "/oauth2/register";
    /// The public keys.
    pub const JWKS: &str = "/.well-known/jwks.json";
    /// The metadata, as OIDC Discovery places it.
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    /// The metadata of what is protected by access tokens, as RFC 9728 places it.
    pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";
    /// The metadata, as RFC 8414 places it.
    pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
}

/// The metadata document, in the order of OIDC Discovery.
#[derive(Clone, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the members that the specifications make booleans"
)]
#[expect(
    missing_docs,
    reason = "each member is documented in OIDC Discovery or RFC 8414 under its name"
)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub pushed_authorization_request_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_session_iframe: Option<String>,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub device_authorization_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub acr_values_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub id_token_encryption_alg_values_supported: Vec<&'static str>,
    pub id_token_encryption_enc_values_supported: Vec<&'static str>,
    pub userinfo_signing_alg_values_supported: Vec<&'static str>,
    pub userinfo_encryption_alg_values_supported: Vec<&'static str>,
    pub userinfo_encryption_enc_values_supported: Vec<&'static str>,
    pub introspection_signing_alg_values_supported: Vec<&'static str>,
    pub introspection_encryption_alg_values_supported: Vec<&'static str>,
    pub introspection_encryption_enc_values_supported: Vec<&'static str>,
    pub authorization_signing_alg_values_supported: Vec<&'static str>,
    pub authorization_encryption_alg_values_supported: Vec<&'static str>,
    pub authorization_encryption_enc_values_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub prompt_values_supported: Vec<&'static str>,
    pub display_values_supported: Vec<&'static str>,
    pub claim_types_supported: Vec<&'static str>,
    pub claims_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_request_uri_registration: Option<bool>,
    pub request_object_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    pub require_pushed_authorization_requests: bool,
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
    pub authorization_response_iss_parameter_supported: bool,
    #[serde(skip_serializing_if = "client_metadata::is_false")]
    pub client_id_metadata_document_supported: bool,
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
}

impl Metadata {
    /// The metadata of the provider at `issuer`. With an `internal_base`, the endpoints that no
    /// browser visits are below that instead, for clients in the same network.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "the whole document in one place")]
    pub fn new(issuer: &Issuer, internal_base: Option<&Issuer>, policy: &Policy) -> Self {
        let back_channel = internal_base.unwrap_or(issuer);
        let methods = authentication_methods(&policy.client_certificates);
        let mut confidential = methods.clone();
        confidential.retain(|method| *method != ClientAuthenticationMethod::None.as_str());
        let assertion_algorithms = assertion_algorithms();
        let encryption_algorithms = KeyManagementAlgorithm::ALL.iter();
        let encryption_algorithms: Vec<_> = encryption_algorithms.map(|it| it.as_str()).collect();
        let encryption_methods = ContentEncryptionAlgorithm::ALL.iter();
        let encryption_methods: Vec<_> = encryption_methods.map(|it| it.as_str()).collect();
        let signing_algorithms = policy.key_rotation.algorithms.iter();
        let signing_algorithms = signing_algorithms.map(|it| it.as_str());
        let signing_algorithms: Vec<_> = signing_algorithms.collect();
        let standard = scope::standard();
        let scopes = standard
            .union(&policy.scopes.keys().cloned().collect())
            .union(&policy.apis.open_scopes());
        Self {
            issuer: issuer.to_string(),
            authorization_endpoint: issuer.join(path::AUTHORIZATION),
            token_endpoint: back_channel.join(path::TOKEN),
            pushed_authorization_request_endpoint: back_channel
                .join(path::PUSHED_AUTHORIZATION_REQUEST),
            userinfo_endpoint: back_channel.join(path::USERINFO),
            jwks_uri: back_channel.join(path::JWKS),
            registration_endpoint: (policy.registration.mode != RegistrationMode::Off)
                .then(|| issuer.join(path::REGISTRATION)),
            end_session_endpoint: issuer.join(path::END_SESSION),
            check_session_iframe: policy
                .logout
                .session_management
                .then(|| issuer.join(path::CHECK_SESSION)),
            introspection_endpoint: back_channel.join(path::INTROSPECTION),
            revocation_endpoint: back_channel.join(path::REVOCATION),
            device_authorization_endpoint: back_channel.join(path::DEVICE_AUTHORIZATION),
            scopes_supported: scopes.iter().map(str::to_owned).collect(),
            response_types_supported: vec!["code"],
            response_modes_supported: response_modes(&[Carrier::Query, Carrier::FormPost]),
            grant_types_supported: grant_types(policy),
            acr_values_supported: acr::SUPPORTED.to_vec(),
            subject_types_supported: SubjectType::ALL.map(SubjectType::as_str).to_vec(),
            id_token_signing_alg_values_supported: signing_algorithms.clone(),
            id_token_encryption_alg_values_supported: encryption_algorithms.clone(),
            id_token_encryption_enc_values_supported: encryption_methods.clone(),
            userinfo_signing_alg_values_supported: signing_algorithms.clone(),
            userinfo_encryption_alg_values_supported: encryption_algorithms.clone(),
            userinfo_encryption_enc_values_supported: encryption_methods.clone(),
            introspection_signing_alg_values_supported: signing_algorithms.clone(),
            introspection_encryption_alg_values_supported: encryption_algorithms.clone(),
            introspection_encryption_enc_values_supported: encryption_methods.clone(),
            authorization_signing_alg_values_supported: signing_algorithms,
            authorization_encryption_alg_values_supported: encryption_algorithms,
            authorization_encryption_enc_values_supported: encryption_methods,
            token_endpoint_auth_methods_supported: methods.clone(),
            token_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
            introspection_endpoint_auth_methods_supported: confidential,
            introspection_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            revocation_endpoint_auth_signing_alg_values_supported: assertion_algorithms,
            prompt_values_supported: vec!["none", "login", "consent", "select_account"],
            display_values_supported: vec!["page"],
            claim_types_supported: vec!["normal"],
            claims_supported: claims::supported(),
            claims_parameter_supported: true,
            request_parameter_supported: true,
            request_uri_parameter_supported: policy.request_uri,
            require_request_uri_registration: policy.request_uri.then_some(true),
            request_object_signing_alg_values_supported: request_objects(policy),
            authorization_details_types_supported: detail_types(policy),
            require_pushed_authorization_requests: policy.require_pushed_authorization_requests,
            code_challenge_methods_supported: vec!["S256"],
            dpop_signing_alg_values_supported: JwsAlgorithm::asymmetric_names(),
            tls_client_certificate_bound_access_tokens: policy
                .client_certificates
                .is_accepted
                .then_some(true),
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: policy.registration.metadata_documents
                != MetadataDocumentPolicy::Off,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
        }
    }

    /// The same for a provider that offers `front_channel` response types, too.
    #[must_use]
    pub fn offering(mut self, front_channel: &ResponseTypes) -> Self {
        if front_channel.0.is_empty() {
            return self;
        }
        let offered = front_channel.0.iter().map(|it| it.as_str());
        self.response_types_supported.extend(offered);
        self.response_modes_supported = response_modes(Carrier::ALL);
        self.grant_types_supported
            .push(GrantType::Implicit.as_str());
        self
    }
}

/// The response modes in which `carriers` carry a response, plain and signed.
fn response_modes(carriers: &[Carrier]) -> Vec<&'static str> {
    let plain = carriers.iter().map(|carrier| carrier.as_str());
    let signed = carriers.iter().map(|carrier| carrier.as_str_signed());
    plain.chain([SIGNED]).chain(signed).collect()
}

/// The grant types that there are under `policy`: implicit where [`Metadata::offering`] says so, and
/// a JWT bearer where there is an issuer that is trusted.
fn grant_types(policy: &Policy) -> Vec<&'static str> {
    let trusts = !policy.trusted_issuers.is_empty();
    let is_offered = |grant_type: &&GrantType| match grant_type {
        GrantType::Implicit => false,
        GrantType::JwtBearer => trusts,
        GrantType::AuthorizationCode
        | GrantType::RefreshToken
        | GrantType::ClientCredentials
        | GrantType::DeviceCode
        | GrantType::TokenExchange => true,
    };
    let offered = GrantType::ALL.iter().filter(is_offered);
    offered.map(|grant_type| grant_type.as_str()).collect()
}

fn authentication_methods(policy: &ClientCertificatePolicy) -> Vec<&'static str> {
    let methods = ClientAuthenticationMethod::ALL.iter();
    let offered = methods.filter(|method| method.is_offered(policy));
    offered.map(|method| method.as_str()).collect()
}

fn assertion_algorithms() -> Vec<&'static str> {
    let all = JwsAlgorithm::ASYMMETRIC
        .iter()
        .chain(JwsAlgorithm::SYMMETRIC);
    all.map(|algorithm| algorithm.as_str()).collect()
}

fn detail_types(policy: &Policy) -> Vec<String> {
    policy.authorization_details.keys().cloned().collect()
}

/// The algorithms of request objects.
fn request_objects(policy: &Policy) -> Vec<&'static str> {
    let signed = JwsAlgorithm::ASYMMETRIC.iter().map(|it| it.as_str());
    let unsigned = policy.unsigned_request_objects.then_some("none");
    signed.chain(unsigned).collect()
}

impl Metadata {
    /// Whom a client assertion may be for: the issuer, and the endpoints where clients
    /// authenticate, by their public and by their internal addresses
    /// ([RFC 7523 section 3], item 3, [RFC 9126 section 2]).
    ///
    /// [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3
    /// [RFC 9126 section 2]: https://www.rfc-editor.org/rfc/rfc9126#section-2
    #[must_use]
    pub fn assertion_audiences(&self, issuer: &Issuer) -> Vec<String> {
        let paths = [
            path::TOKEN,
            path::PUSHED_AUTHORIZATION_REQUEST,
            path::DEVICE_AUTHORIZATION,
            path::INTROSPECTION,
            path::REVOCATION,
        ];
        let mut audiences = vec![self.issuer.clone()];
        audiences.extend(paths.iter().map(|path| issuer.join(path)));
        audiences.extend([
            self.token_endpoint.clone(),
            self.pushed_authorization_request_endpoint.clone(),
            self.device_authorization_endpoint.clone(),
            self.introspection_endpoint.clone(),
            self.revocation_endpoint.clone(),
        ]);
        audiences.sort();
        audiences.dedup();
        audiences
    }
}

/// The `acr` of somebody who signed in with a password: one factor.
pub const ACR_PASSWORD: &str = "1";
/// The `amr` of somebody who signed in with a password ([RFC 8176 section 2]).
///
/// [RFC 8176 section 2]: https://www.rfc-editor.org/rfc/rfc8176#section-2
pub const AMR_PASSWORD: &str = "pwd";
