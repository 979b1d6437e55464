//! The certificate with which a client authenticates its connection ([RFC 8705]).
//!
//! [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::ClientMetadata;
use super::distinguished_name::DistinguishedName;
use super::registration::MetadataError;

/// A certificate whose private key the peer has, as the TLS handshake showed to this server or to
/// a trusted proxy. Who issued it is another question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// What the peer sent along to lead to an authority, each in DER.
    pub intermediates: Vec<Vec<u8>>,
}

impl ClientCertificate {
    /// The value of `x5t#S256`, to which tokens are bound ([RFC 8705 section 3.1]).
    ///
    /// [RFC 8705 section 3.1]: https://www.rfc-editor.org/rfc/rfc8705#section-3.1
    #[must_use]
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.der))
    }
}

/// The one name that a client's certificate is known by ([RFC 8705 section 2.1.2]).
///
/// [RFC 8705 section 2.1.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificateName<'a> {
    /// Its subject, as [RFC 4514](https://www.rfc-editor.org/rfc/rfc4514) writes it.
    Subject(&'a DistinguishedName),
    /// A DNS name.
    Dns(&'a str),
    /// A URI.
    Uri(&'a str),
    /// An IP address.
    Ip(&'a str),
    /// An e-mail address.
    Email(&'a str),
}

/// The names that a client registered for its certificate.
pub fn registered_names(metadata: &ClientMetadata) -> impl Iterator<Item = CertificateName<'_>> {
    let text = |member: &'static str| -> Option<&str> {
        match member {
            "dns" => metadata.tls_client_auth_san_dns.as_deref(),
            "uri" => metadata.tls_client_auth_san_uri.as_deref(),
            "ip" => metadata.tls_client_auth_san_ip.as_deref(),
            _ => metadata.tls_client_auth_san_email.as_deref(),
        }
    };
    let subject = metadata.tls_client_auth_subject_dn.as_ref();
    [
        subject.map(CertificateName::Subject),
        text("dns").map(CertificateName::Dns),
        text("uri").map(CertificateName::Uri),
        text("ip").map(CertificateName::Ip),
        text("email").map(CertificateName::Email),
    ]
    .into_iter()
    .flatten()
}

/// A client that authenticates by an authority's certificate has exactly one name for it, and one
/// that signed its own has it among its keys.
pub(super) fn certificates_have_names(metadata: &ClientMetadata) -> Result<(), MetadataError> {
    let count = registered_names(metadata).count();
    match metadata.token_endpoint_auth_method {
        ClientAuthenticationMethod::TlsClientAuth if count != 1 => {
            let reason = "tls_client_auth needs exactly one of tls_client_auth_subject_dn, _san_dns, \
                          _san_uri, _san_ip and _san_email";
            Err(MetadataError::new("token_endpoint_auth_method", reason))
        }
        ClientAuthenticationMethod::SelfSignedTlsClientAuth
            if metadata.jwks.is_none() && metadata.jwks_uri.is_none() =>
        {
            let reason = "self_signed_tls_client_auth needs the certificate, as x5c of a key in \
                          jwks or at a jwks_uri";
            Err(MetadataError::new("token_endpoint_auth_method", reason))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_has_exactly_one_name_for_its_certificate() {
        for (metadata, is_right) in [
            (json!({"tls_client_auth_san_dns": "app.test"}), true),
            (
                json!({"tls_client_auth_subject_dn": "CN=app,O=Example"}),
                true,
            ),
            (json!({}), false),
            (
                json!({"tls_client_auth_san_dns": "app.test", "tls_client_auth_san_ip": "::1"}),
                false,
            ),
        ] {
            let mut metadata = metadata;
            metadata["token_endpoint_auth_method"] = json!("tls_client_auth");
            let parsed: ClientMetadata = serde_json::from_value(metadata.clone()).unwrap();
            assert_eq!(
                certificates_have_names(&parsed).is_ok(),
                is_right,
                "{metadata}"
            );
        }
        let metadata = json!({"token_endpoint_auth_method": "self_signed_tls_client_auth"});
        let parsed: ClientMetadata = serde_json::from_value(metadata).unwrap();
        assert!(certificates_have_names(&parsed).is_err());
    }
}
