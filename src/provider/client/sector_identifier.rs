//! Asking the document at a client's `sector_identifier_uri` whether the client belongs to the
//! sector that it names ([OIDC Registration section 5]).
//!
//! Asked once, when the client is registered: what is at the address later changes nothing, so
//! that subjects stay what they are.
//!
//! [OIDC Registration section 5]: https://openid.net/specs/openid-connect-registration-1_0.html#SectorIdentifierValidation

use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::registration::MetadataError;
use crate::oidc::subject_type::check_listed;
use crate::provider::outbound::Outbound;

/// Checks that all redirect URIs of a client are listed where it says.
pub(in crate::provider) async fn check_sector(
    outbound: &Outbound,
    metadata: &ClientMetadata,
) -> Result<(), MetadataError> {
    let Some(uri) = &metadata.sector_identifier_uri else {
        return Ok(());
    };
    let uri = uri.as_str();
    let fetched = outbound.fetch_json::<Vec<String>>(uri, LONGEST).await;
    let document = fetched.map_err(|error| {
        MetadataError::new("sector_identifier_uri", format!("'{uri}': {error}"))
    })?;
    check_listed(metadata, &document.content)
}

/// How long the document may be, in bytes: hundreds of addresses.
const LONGEST: usize = 64 * 1024;
