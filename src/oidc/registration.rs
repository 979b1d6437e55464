//! What client metadata must be like to be registered, whoever registers it
//! ([RFC 7591 section 2], [OIDC Registration section 2]).
//!
//! One function a rule, one list of them. What holds beside that for clients that register
//! themselves is in `self_registration`.
//!
//! [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
//! [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata

use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_certificate;
use super::client_keys;
use super::client_metadata::ClientMetadata;
use super::grant_type::GrantType;
use super::logout_uri;
use super::profile;
use super::protected_response;
use super::response_mode::{Carrier, ResponseMode};
use super::workload_identity::WorkloadIdentity;

/// A member of client metadata that cannot be registered, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct MetadataError {
    /// The member.
    pub member: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub reason: String,
}

impl MetadataError {
    /// This about that member.
    #[must_use]
    pub fn new(member: &'static str, reason: impl Into<String>) -> Self {
        Self {
            member,
            reason: reason.into(),
        }
    }
}

/// A rule about client metadata.
pub(super) type Rule = fn(&ClientMetadata) -> Result<(), MetadataError>;

/// Checks `metadata` against every rule, in order.
///
/// # Errors
///
/// The first member that breaks one.
pub fn check(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    RULES.iter().try_for_each(|rule| rule(metadata))
}

const RULES: &[Rule] = &[
    an_answer_needs_somewhere_to_go,
    front_channel_types_have_their_grants,
    response_modes_are_known,
    client_keys::keys_go_with_the_method,
    protected_response::encryption_has_keys,
    client_certificate::certificates_have_names,
    acting_without_a_person_needs_a_secret,
    workloads_are_told_from_others,
    lifetimes_have_bounds,
    sign_in_starts_over_tls,
    front_channel_logout_is_on_the_clients_own_site,
    profile::check,
];

fn an_answer_needs_somewhere_to_go(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let (code, implicit) = (GrantType::AuthorizationCode, GrantType::Implicit);
    for grant_type in [code, implicit] {
        if metadata.grant_types.contains(grant_type) && metadata.redirect_uris.is_empty() {
            let reason = format!("the grant type {} needs at least one", grant_type.as_str());
            return Err(MetadataError::new("redirect_uris", reason));
        }
    }
    Ok(())
}

/// [RFC 7591 section 2.1].
///
/// [RFC 7591 section 2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-2.1
fn front_channel_types_have_their_grants(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    for response_type in metadata.response_types.front_channel().0 {
        let mut needed = response_type.grant_types();
        if let Some(missing) = needed.find(|it| !metadata.grant_types.contains(*it)) {
            let missing = missing.as_str();
            let reason = format!("the response type {response_type} goes with {missing}");
            return Err(MetadataError::new("grant_types", reason));
        }
    }
    Ok(())
}

fn response_modes_are_known(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let is_known = |name: &String| ResponseMode::read(name, Carrier::Query).is_ok();
    if metadata.response_modes.iter().all(is_known) {
        return Ok(());
    }
    let reason =
        "each is query, fragment, form_post, jwt, query.jwt, fragment.jwt or form_post.jwt";
    Err(MetadataError::new("response_modes", reason))
}

/// [RFC 6749 section 4.4], [RFC 8693 section 2.1]: confidential clients only.
///
/// [RFC 6749 section 4.4]: https://www.rfc-editor.org/rfc/rfc6749#section-4.4
/// [RFC 8693 section 2.1]: https://www.rfc-editor.org/rfc/rfc8693#section-2.1
fn acting_without_a_person_needs_a_secret(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    if metadata.token_endpoint_auth_method != ClientAuthenticationMethod::None {
        return Ok(());
    }
    for (grant, reason) in [
        (
            GrantType::ClientCredentials,
            "client_credentials: a client without a secret cannot act as itself",
        ),
        (
            GrantType::TokenExchange,
            "token-exchange: a client without a secret cannot exchange tokens",
        ),
    ] {
        if metadata.grant_types.contains(grant) {
            return Err(MetadataError::new("grant_types", reason));
        }
    }
    Ok(())
}

/// Whoever can have a JWT made by the issuer must not thereby be the client.
fn workloads_are_told_from_others(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let identities = &metadata.workload_identities;
    if metadata.grant_types.contains(GrantType::JwtBearer) && identities.is_empty() {
        let reason = "the JWT bearer grant needs at least one";
        return Err(MetadataError::new("workload_identities", reason));
    }
    if !identities.iter().all(WorkloadIdentity::is_distinct) {
        let reason = "each has an issuer, and a subject that does not start with *";
        return Err(MetadataError::new("workload_identities", reason));
    }
    Ok(())
}

fn lifetimes_have_bounds(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    for (member, lifetime) in [
        ("access_token_lifetime", metadata.access_token_lifetime),
        ("id_token_lifetime", metadata.id_token_lifetime),
    ] {
        if lifetime.is_some_and(|seconds| !(1..=LONGEST_LIFETIME).contains(&seconds)) {
            let reason = "it is a number of seconds from 1 to 2592000 (30 days)";
            return Err(MetadataError::new(member, reason));
        }
    }
    Ok(())
}

/// [OIDC Registration section 2]: `initiate_login_uri` is https.
///
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
fn sign_in_starts_over_tls(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    match &metadata.initiate_login_uri {
        Some(uri) if !uri.is_https() => {
            let reason = "it must be an https URL";
            Err(MetadataError::new("initiate_login_uri", reason))
        }
        Some(_) | None => Ok(()),
    }
}

/// [Front-Channel Logout section 2]: the scheme, host and port of a redirect URI.
///
/// [Front-Channel Logout section 2]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout
fn front_channel_logout_is_on_the_clients_own_site(
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    if logout_uri::front_channel_is_on_own_site(metadata) {
        return Ok(());
    }
    let reason = "it must have the scheme, host and port of one of the redirect URIs";
    Err(MetadataError::new("frontchannel_logout_uri", reason))
}

const LONGEST_LIFETIME: u64 = 30 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_that_contradicts_itself_is_refused_by_the_member_at_fault() {
        for (metadata, member) in [
            (json!({}), "redirect_uris"),
            (
                json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
                "grant_types",
            ),
            (json!({"grant_types": ["implicit"]}), "redirect_uris"),
            (
                json!({"redirect_uris": ["https://rp.test/cb"], "response_types": ["id_token"]}),
                "grant_types",
            ),
            (
                json!({"redirect_uris": ["https://rp.test/cb"], "grant_types": ["implicit"],
                    "response_types": ["code token"]}),
                "grant_types",
            ),
            (
                json!({"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"],
                    "token_endpoint_auth_method": "none"}),
                "grant_types",
            ),
            (
                json!({"grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]}),
                "workload_identities",
            ),
            (
                json!({"grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
                    "workload_identities": [{"issuer": "https://ci.test", "subject": "*"}]}),
                "workload_identities",
            ),
            (
                json!({"redirect_uris": ["https://rp.test/cb"], "response_modes": ["web_message"]}),
                "response_modes",
            ),
            (
                json!({"redirect_uris": ["https://rp.test/cb"], "access_token_lifetime": 0}),
                "access_token_lifetime",
            ),
            (
                json!({"redirect_uris": ["https://rp.test/cb"], "id_token_lifetime": 2_592_001}),
                "id_token_lifetime",
            ),
            (
                json!({"redirect_uris": ["https://rp.test/cb"],
                    "initiate_login_uri": "http://rp.test/login"}),
                "initiate_login_uri",
            ),
        ] {
            let parsed: ClientMetadata = serde_json::from_value(metadata.clone()).unwrap();
            let error = check(&parsed).unwrap_err();
            assert_eq!(error.member, member, "{metadata}");
        }
        for metadata in [
            json!({"grant_types": ["client_credentials"], "id_token_lifetime": 60}),
            json!({"redirect_uris": ["https://rp.test/cb"],
                "initiate_login_uri": "https://rp.test/login"}),
        ] {
            let parsed: ClientMetadata = serde_json::from_value(metadata.clone()).unwrap();
            assert_eq!(check(&parsed), Ok(()), "{metadata}");
        }
    }
}
