//! The metadata of Keyfob's own protected resources ([RFC 9728 section 2]).
//!
//! [RFC 9728 section 2]: https://www.rfc-editor.org/rfc/rfc9728#section-2

use serde::Serialize;

use super::issuer::Issuer;
use super::jws_algorithm::JwsAlgorithm;
use super::metadata::path;
use super::scope;

/// The metadata of one resource.
#[derive(Clone, Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "each member is documented in RFC 9728 section 2 under its name"
)]
pub struct ProtectedResource {
    pub resource: String,
    pub authorization_servers: Vec<String>,
    pub scopes_supported: &'static [&'static str],
    pub bearer_methods_supported: Vec<&'static str>,
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
}

impl ProtectedResource {
    /// The metadata of what is at `path` below `issuer`; of the whole, where that is empty.
    #[must_use]
    pub fn at(issuer: &Issuer, path: &str) -> Self {
        Self {
            resource: issuer.join(path),
            authorization_servers: vec![issuer.to_string()],
            scopes_supported: scope::STANDARD,
            bearer_methods_supported: vec!["header", "body"],
            dpop_signing_alg_values_supported: JwsAlgorithm::asymmetric_names(),
        }
    }
}

/// Where the metadata of the userinfo endpoint is: the well-known path comes before the resource's
/// own ([RFC 9728 section 3.1]).
///
/// [RFC 9728 section 3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1
#[must_use]
pub fn metadata_uri(issuer: &Issuer) -> String {
    let (whole, own) = (issuer.as_str(), issuer.path());
    let origin = whole.strip_suffix(own).unwrap_or(whole);
    format!(
        "{origin}{}{own}{}",
        path::PROTECTED_RESOURCE,
        path::USERINFO
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_comes_before_the_issuers() {
        for (issuer, expected) in [
            (
                "https://id.test",
                "https://id.test/.well-known/oauth-protected-resource/oauth2/userinfo",
            ),
            (
                "https://id.test/a/b",
                "https://id.test/.well-known/oauth-protected-resource/a/b/oauth2/userinfo",
            ),
        ] {
            assert_eq!(metadata_uri(&issuer.parse().unwrap()), expected);
        }
    }
}
