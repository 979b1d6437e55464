//! The algorithms under which a client may have its tokens and answers
//! ([OIDC Registration section 2], [RFC 9701 section 6]).
//!
//! [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
//! [RFC 9701 section 6]: https://www.rfc-editor.org/rfc/rfc9701#section-6

use super::client_metadata::ClientMetadata;
use super::registration::MetadataError;
use super::signing_algorithm::SigningAlgorithm;

/// Checks that everything of a client is signed by an algorithm that is `offered`.
///
/// # Errors
///
/// The first member with another.
pub fn are_offered(
    metadata: &ClientMetadata,
    offered: &[SigningAlgorithm],
) -> Result<(), MetadataError> {
    let wanted = [
        (
            "id_token_signed_response_alg",
            Some(metadata.id_token_signed_response_alg),
        ),
        (
            "userinfo_signed_response_alg",
            metadata.userinfo_signed_response_alg,
        ),
        (
            "introspection_signed_response_alg",
            metadata.introspection_signed_response_alg,
        ),
        (
            "authorization_signed_response_alg",
            metadata.authorization_signed_response_alg,
        ),
        (
            "access_token_signed_response_alg",
            Some(metadata.access_token_signed_response_alg),
        ),
    ];
    for (member, algorithm) in wanted {
        if algorithm.is_some_and(|algorithm| !offered.contains(&algorithm)) {
            let names: Vec<_> = offered.iter().map(|it| it.as_str()).collect();
            let reason = format!("this server signs with {}", names.join(", "));
            return Err(MetadataError::new(member, reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_algorithm_without_keys_is_refused_by_the_member_that_names_it() {
        for member in [
            "id_token_signed_response_alg",
            "userinfo_signed_response_alg",
            "introspection_signed_response_alg",
            "authorization_signed_response_alg",
            "access_token_signed_response_alg",
        ] {
            for algorithm in SigningAlgorithm::ALL {
                let metadata = serde_json::from_value(json!({ member: algorithm })).unwrap();
                assert_eq!(are_offered(&metadata, SigningAlgorithm::ALL), Ok(()));
                let refused = are_offered(&metadata, SigningAlgorithm::USUAL).err();
                let expected = (!SigningAlgorithm::USUAL.contains(algorithm)).then_some(member);
                assert_eq!(refused.map(|error| error.member), expected, "{algorithm}");
            }
        }
    }
}
