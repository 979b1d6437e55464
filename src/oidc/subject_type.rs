//! What a client is told that a user is called, and whom it shares that with
//! ([OIDC Core section 8]).
//!
//! [OIDC Core section 8]: https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes

use serde::{Deserialize, Serialize};

use super::client_metadata::ClientMetadata;
use super::redirect_uri::RedirectUri;
use super::registration::MetadataError;

/// A type of subject identifier.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The same for every client.
    #[default]
    Public,
    /// The same for every client of one sector, and another in each sector.
    Pairwise,
}

impl SubjectType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// The name that metadata have for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

/// The sector that a client is in ([OIDC Core section 8.1]): the host of its
/// `sector_identifier_uri`, or without one that of its redirect URIs. `None` if those have several
/// hosts, or none.
///
/// [OIDC Core section 8.1]: https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg
#[must_use]
pub fn sector_identifier(metadata: &ClientMetadata) -> Option<String> {
    if let Some(uri) = &metadata.sector_identifier_uri {
        return uri.host();
    }
    let mut hosts = metadata.redirect_uris.iter().map(RedirectUri::host);
    let first = hosts.next()??;
    let is_only = hosts.all(|host| host.as_ref() == Some(&first));
    is_only.then_some(first)
}

/// [OIDC Registration section 5]: who redirects to several hosts says by one document that they
/// belong together.
///
/// [OIDC Registration section 5]: https://openid.net/specs/openid-connect-registration-1_0.html#SectorIdentifierValidation
pub(super) fn pairwise_subjects_have_a_sector(
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    let is_pairwise = metadata.subject_type == Some(SubjectType::Pairwise);
    if is_pairwise && sector_identifier(metadata).is_none() {
        let reason = "pairwise subjects need one, unless all redirect_uris have the same host";
        return Err(MetadataError::new("sector_identifier_uri", reason));
    }
    Ok(())
}

/// Checks that the document at a client's `sector_identifier_uri` lists all its redirect URIs
/// ([OIDC Registration section 5]).
///
/// # Errors
///
/// The first that it does not list.
///
/// [OIDC Registration section 5]: https://openid.net/specs/openid-connect-registration-1_0.html#SectorIdentifierValidation
pub fn check_listed(metadata: &ClientMetadata, listed: &[String]) -> Result<(), MetadataError> {
    let mut own = metadata.redirect_uris.iter().map(RedirectUri::as_str);
    match own.find(|uri| !listed.iter().any(|it| it == uri)) {
        None => Ok(()),
        Some(uri) => {
            let reason = format!("the document there does not list '{uri}'");
            Err(MetadataError::new("sector_identifier_uri", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn metadata(redirect_uris: &Value, sector_identifier_uri: &Value) -> ClientMetadata {
        let metadata = json!({
            "subject_type": "pairwise",
            "redirect_uris": redirect_uris,
            "sector_identifier_uri": sector_identifier_uri,
        });
        serde_json::from_value(metadata).unwrap()
    }

    #[test]
    fn a_sector_is_the_host_that_a_clients_redirect_uris_share_or_the_one_it_names() {
        for (redirect_uris, uri, expected) in [
            (json!(["https://rp.test/cb"]), json!(null), Some("rp.test")),
            (
                json!(["https://rp.test/cb", "https://RP.test:8443/other"]),
                json!(null),
                Some("rp.test"),
            ),
            (json!(["http://[::1]/cb"]), json!(null), Some("[::1]")),
            (
                json!(["https://a.test/cb", "https://b.test/cb"]),
                json!(null),
                None,
            ),
            (
                json!(["https://rp.test/cb", "com.example.app:/cb"]),
                json!(null),
                None,
            ),
            (json!(["com.example.app://rp.test/cb"]), json!(null), None),
            (json!([]), json!(null), None),
            (
                json!(["https://a.test/cb", "com.example.app:/cb"]),
                json!("https://sector.test:8443/uris.json"),
                Some("sector.test"),
            ),
            (
                json!([]),
                json!("https://sector.test/"),
                Some("sector.test"),
            ),
        ] {
            let metadata = metadata(&redirect_uris, &uri);
            let sector = sector_identifier(&metadata);
            assert_eq!(sector.as_deref(), expected, "{redirect_uris} {uri}");
            let checked = pairwise_subjects_have_a_sector(&metadata);
            assert_eq!(checked.is_ok(), expected.is_some(), "{redirect_uris} {uri}");
            let public = ClientMetadata {
                subject_type: Some(SubjectType::Public),
                ..metadata
            };
            assert_eq!(pairwise_subjects_have_a_sector(&public), Ok(()));
        }
    }

    #[test]
    fn every_redirect_uri_must_be_listed_byte_for_byte() {
        let uris = json!(["https://a.test/cb", "https://b.test/cb"]);
        let metadata = metadata(&uris, &json!("https://sector.test/"));
        for (listed, missing) in [
            (
                &["https://b.test/cb", "https://c.test/", "https://a.test/cb"] as &[&str],
                None,
            ),
            (&["https://a.test/cb"], Some("https://b.test/cb")),
            (
                &["https://a.test/cb", "https://b.test/cb/"],
                Some("https://b.test/cb"),
            ),
            (&[], Some("https://a.test/cb")),
        ] {
            let listed: Vec<_> = listed.iter().map(ToString::to_string).collect();
            match (check_listed(&metadata, &listed), missing) {
                (Ok(()), None) => {}
                (Err(error), Some(missing)) => {
                    assert_eq!(error.member, "sector_identifier_uri");
                    assert!(error.reason.contains(missing), "{error}");
                }
                (result, _) => panic!("{listed:?}: {result:?}"),
            }
        }
    }
}
