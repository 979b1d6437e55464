//! Clients whose `client_id` is the address of a document that describes them
//! ([OAuth Client ID Metadata Document]).
//!
//! Nobody registers such a client. What is kept of it is what its document said last, under
//! the address as its identifier; like a client that registered itself it is trusted by nobody.
//!
//! [OAuth Client ID Metadata Document]: https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::client::Client;
use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::ClientMetadata;
use super::policy::{MetadataDocumentPolicy, RegistrationPolicy};
use super::registration::MetadataError;
use super::self_registration;

/// Whether `client_id` is the address of a metadata document: https, in the one way to write it,
/// with a path. With `allows_loopback`, also http on this machine.
#[must_use]
pub fn is_document(client_id: &str, allows_loopback: bool) -> bool {
    let Ok(url) = Url::parse(client_id) else {
        return false;
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let may_be_http = allows_loopback && is_loopback && url.scheme() == "http";
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    // Parsing resolves dot segments and adds the path that is missing, so what has them differs.
    let is_canonical = url.as_str() == client_id;
    (url.scheme() == "https" || may_be_http)
        && is_canonical
        && is_anonymous
        && url.fragment().is_none()
        && url.path() != "/"
}

/// Whether `policy` allows a client that a document at `client_id` describes.
#[must_use]
pub fn is_allowed(client_id: &str, policy: &MetadataDocumentPolicy) -> bool {
    match policy {
        MetadataDocumentPolicy::Off => false,
        MetadataDocumentPolicy::Anywhere => true,
        MetadataDocumentPolicy::AtHosts(hosts) => {
            let url = Url::parse(client_id).ok();
            let host = url.as_ref().and_then(Url::host_str);
            host.is_some_and(|host| hosts.iter().any(|own| own == host))
        }
    }
}

/// What the document at `client_id` says of the client.
///
/// # Errors
///
/// The first member that is wrong.
pub fn read(
    document: &Map<String, Value>,
    client_id: &str,
    policy: &RegistrationPolicy,
) -> Result<ClientMetadata, MetadataError> {
    if document.get("client_id").and_then(Value::as_str) != Some(client_id) {
        let reason = "it is not the address of the document";
        return Err(MetadataError::new("client_id", reason));
    }
    // Everybody can read the document.
    for secret in ["client_secret", "client_secret_expires_at"] {
        if document.contains_key(secret) {
            return Err(MetadataError::new("client_secret", "a document has none"));
        }
    }
    let mut document = document.clone();
    let method = document
        .entry("token_endpoint_auth_method")
        .or_insert_with(|| json!("none"));
    if !["none", "private_key_jwt"].contains(&method.as_str().unwrap_or_default()) {
        let reason = "it is none or private_key_jwt";
        return Err(MetadataError::new("token_endpoint_auth_method", reason));
    }
    let metadata = self_registration::read(&document, policy)?;
    // What was said above, of what was made of it.
    match metadata.token_endpoint_auth_method {
        ClientAuthenticationMethod::None | ClientAuthenticationMethod::PrivateKeyJwt => {
            Ok(metadata)
        }
        _ => Err(MetadataError::new(
            "token_endpoint_auth_method",
            "it is none or private_key_jwt",
        )),
    }
}

/// Whether a document of `media_type` is one: JSON, as itself or as something more special.
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// For how long a document is used again that says this of it, within bounds.
#[must_use]
pub fn lifetime(max_age: Option<Duration>) -> Duration {
    max_age.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST)
}

/// The host at which `client` describes itself, if it is one that does.
#[must_use]
pub fn host(client: &Client) -> Option<&str> {
    let id = client.id.as_str();
    if client.is_trusted() || !is_document(id, true) {
        return None;
    }
    let (_, rest) = id.split_once("://")?;
    rest.split('/').next()
}

/// The longest document that is read.
pub const LONGEST_DOCUMENT: usize = 10 * 1024;

const SHORTEST: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_one_address() {
        for (client_id, expected) in [
            ("https://app.example.com/client.json", true),
            ("https://app.example.com:8443/a/b", true),
            ("https://app.example.com", false),
            ("https://app.example.com/", false),
            ("https://app.example.com/a/../b", false),
            ("https://app.example.com/a/%2e%2e/b", false),
            ("https://app.example.com/./a", false),
            ("https://app.example.com/a#b", false),
            ("https://user@app.example.com/a", false),
            ("https://APP.example.com/a", false),
            ("https://app.example.com:443/a", false),
            ("http://app.example.com/a", false),
            ("http://localhost:3000/a", false),
            ("ftp://app.example.com/a", false),
            ("app", false),
        ] {
            assert_eq!(is_document(client_id, false), expected, "{client_id}");
        }
        assert!(is_document("http://localhost:3000/a", true));
        assert!(!is_document("http://app.example.com/a", true));
    }

    #[test]
    fn a_document_speaks_of_itself_and_has_no_secret() {
        let id = "https://app.example.com/client.json";
        let policy = RegistrationPolicy::default();
        let good = json!({"client_id": id, "redirect_uris": ["https://app.example.com/cb"],
            "grant_types": ["authorization_code", "urn:example:unknown"]});
        let read = |document: &Value| super::read(document.as_object().unwrap(), id, &policy);
        let metadata = read(&good).unwrap();
        let method = metadata.token_endpoint_auth_method;
        assert_eq!(method, ClientAuthenticationMethod::None);
        for (member, value, guilty) in [
            (
                "client_id",
                json!("https://app.example.com/other.json"),
                "client_id",
            ),
            ("client_id", Value::Null, "client_id"),
            ("client_secret", json!("s"), "client_secret"),
            (
                "token_endpoint_auth_method",
                json!("client_secret_basic"),
                "token_endpoint_auth_method",
            ),
            ("redirect_uris", json!([]), "redirect_uris"),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert_eq!(read(&bad).unwrap_err().member, guilty, "{bad}");
        }
    }

    #[test]
    fn a_document_is_kept_between_five_minutes_and_a_day() {
        for (max_age, expected) in [
            (None, 300),
            (Some(0), 300),
            (Some(3600), 3600),
            (Some(u64::MAX), 86_400),
        ] {
            let kept = lifetime(max_age.map(Duration::from_secs));
            assert_eq!(kept.as_secs(), expected, "{max_age:?}");
        }
    }
}
