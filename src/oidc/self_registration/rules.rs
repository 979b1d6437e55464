//! What holds for clients that register themselves, beside what holds for all: one function a rule,
//! one list of them.

use crate::oidc::client_metadata::{ApplicationType, ClientMetadata};
use crate::oidc::grant_type::GrantType;
use crate::oidc::redirect_uri::RedirectUri;
use crate::oidc::registration::{MetadataError, Rule};
use crate::oidc::web_uri::WebUri;

/// Checks `metadata` against every rule, in order.
pub(super) fn check(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    RULES.iter().try_for_each(|rule| rule(metadata))
}

const RULES: &[Rule] = &[
    redirect_uris_are_of_the_application_type,
    post_logout_redirect_uris_are_of_the_application_type,
    grant_types_and_response_types_agree,
    the_name_is_one_line,
    the_logo_comes_over_tls,
    lists_are_short,
];

/// [OIDC Registration section 2], [RFC 8252 section 7]: a web application is reached over TLS; a
/// native one by a loopback address, a scheme of its own, or an https address that it has claimed.
///
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
/// [RFC 8252 section 7]: https://www.rfc-editor.org/rfc/rfc8252#section-7
fn redirect_uris_are_of_the_application_type(
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    if metadata.redirect_uris.is_empty() {
        let reason = "at least one is needed";
        return Err(MetadataError::new("redirect_uris", reason));
    }
    are_of_the_application_type("redirect_uris", &metadata.redirect_uris, metadata)
}

fn post_logout_redirect_uris_are_of_the_application_type(
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    let uris = &metadata.post_logout_redirect_uris;
    are_of_the_application_type("post_logout_redirect_uris", uris, metadata)
}

fn are_of_the_application_type(
    member: &'static str,
    uris: &[RedirectUri],
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    let is_native = metadata.application_type == Some(ApplicationType::Native);
    for uri in uris.iter().filter(|uri| !uri.is_https()) {
        let reason = match (is_native, uri.is_loopback(), uri.is_private_use()) {
            (true, true, _) | (true, _, true) => continue,
            (false, ..) => "a web application is reached by https",
            (true, false, false) => {
                "a native application is reached by https, by http on a loopback address, or by \
                 a scheme of its own that has a dot in it"
            }
        };
        return Err(MetadataError::new(member, format!("'{uri}': {reason}")));
    }
    Ok(())
}

/// [RFC 7591 section 2.1].
///
/// [RFC 7591 section 2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-2.1
fn grant_types_and_response_types_agree(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let (grants, types) = (&metadata.grant_types, &metadata.response_types.0);
    for response_type in types {
        let mut needed = response_type.grant_types();
        if let Some(missing) = needed.find(|it| !grants.contains(*it)) {
            let missing = missing.as_str();
            let reason =
                format!("the response type {response_type} goes with the grant type {missing}");
            return Err(MetadataError::new("grant_types", reason));
        }
    }
    let has_code = types.iter().any(|it| it.has_code());
    if grants.contains(GrantType::AuthorizationCode) && !has_code {
        let reason = "the grant type authorization_code goes with a response type like code";
        return Err(MetadataError::new("response_types", reason));
    }
    if types.is_empty() {
        let reason = "none of these grant types is for clients that register themselves";
        return Err(MetadataError::new("grant_types", reason));
    }
    Ok(())
}

/// The name stands on pages where people decide: short, and nothing that reorders what is around it.
fn the_name_is_one_line(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let Some(name) = &metadata.client_name else {
        return Ok(());
    };
    let misleads = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{2069}' | '\u{feff}'
            )
    };
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(misleads) {
        let reason = format!("it is 1 to {LONGEST_NAME} characters, and none that mislead the eye");
        return Err(MetadataError::new("client_name", reason));
    }
    Ok(())
}

fn the_logo_comes_over_tls(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    match &metadata.logo_uri {
        Some(uri) if uri.image_origin().is_none() => {
            let reason = "it must be an https URL on a host with a plain name";
            Err(MetadataError::new("logo_uri", reason))
        }
        Some(_) | None => Ok(()),
    }
}

fn lists_are_short(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    for (member, length) in [
        ("redirect_uris", metadata.redirect_uris.len()),
        (
            "post_logout_redirect_uris",
            metadata.post_logout_redirect_uris.len(),
        ),
        ("request_uris", metadata.request_uris.len()),
        ("contacts", metadata.contacts.len()),
    ] {
        if length > MOST_ITEMS {
            let reason = format!("it has at most {MOST_ITEMS} items");
            return Err(MetadataError::new(member, reason));
        }
    }
    let links = [
        ("client_uri", &metadata.client_uri),
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
        ("initiate_login_uri", &metadata.initiate_login_uri),
    ];
    let links = links.map(|(member, uri)| (member, uri.as_ref().map(WebUri::as_str)));
    let texts = [
        ("software_id", metadata.software_id.as_deref()),
        ("software_version", metadata.software_version.as_deref()),
    ];
    let contacts = metadata.contacts.iter();
    let contacts = contacts.map(|contact| ("contacts", Some(contact.as_str())));
    for (member, text) in links.into_iter().chain(texts).chain(contacts) {
        if text.is_some_and(|text| text.len() > LONGEST_TEXT) {
            let reason = format!("it has at most {LONGEST_TEXT} characters");
            return Err(MetadataError::new(member, reason));
        }
    }
    Ok(())
}

const MOST_ITEMS: usize = 50;
const LONGEST_TEXT: usize = 2048;
const LONGEST_NAME: usize = 200;
