//! Certificates of clients: whether an authority issued one, and what it names ([RFC 8705],
//! [RFC 5280]).
//!
//! [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
//! [RFC 5280]: https://www.rfc-editor.org/rfc/rfc5280

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use crate::oidc::client_certificate::{CertificateName, ClientCertificate};
use crate::oidc::timestamp::Timestamp;

/// The authorities that issue certificates to clients.
pub struct ClientAuthorities(Arc<dyn ClientCertVerifier>);

/// Certificates that cannot be those of authorities.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the certificates of the clients' authorities cannot be used")]
pub struct ClientAuthoritiesError;

impl ClientAuthorities {
    /// The authorities with these certificates, each in DER.
    pub fn new(certificates: &[Vec<u8>]) -> Result<Self, ClientAuthoritiesError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = CertificateDer::from_slice(certificate);
            let added = roots.add(certificate.into_owned());
            added.map_err(|_| ClientAuthoritiesError)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().map_err(|_| ClientAuthoritiesError)?;
        Ok(Self(verifier))
    }

    /// Whether one of them issued `certificate` for a client, and it is good at `now`.
    #[must_use]
    pub fn issued(&self, certificate: &ClientCertificate, now: Timestamp) -> bool {
        let end_entity = CertificateDer::from_slice(&certificate.der);
        let intermediates = certificate.intermediates.iter();
        let intermediates: Vec<_> = intermediates
            .map(|der| CertificateDer::from_slice(der))
            .collect();
        let seconds = Duration::from_secs(u64::try_from(now.0).unwrap_or_default());
        let now = UnixTime::since_unix_epoch(seconds);
        let verified = self.0.verify_client_cert(&end_entity, &intermediates, now);
        verified.is_ok()
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAuthorities")
    }
}

/// Whether `certificate` bears `name`. An alternative name of the wanted kind that is malformed
/// makes it bear none.
#[must_use]
pub fn bears(certificate: &ClientCertificate, name: CertificateName<'_>) -> bool {
    let Ok((rest, parsed)) = X509Certificate::from_der(&certificate.der) else {
        return false;
    };
    if !rest.is_empty() {
        return false;
    }
    if let CertificateName::Subject(subject) = name {
        return subject_of(&parsed).is_some_and(|own| subject.is(&own));
    }
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else {
        return false;
    };
    let mut names = alternatives.value.general_names.iter();
    names.any(|own| match (own, name) {
        (GeneralName::DNSName(own), CertificateName::Dns(wanted)) => {
            own.eq_ignore_ascii_case(wanted)
        }
        (GeneralName::URI(own), CertificateName::Uri(wanted))
        | (GeneralName::RFC822Name(own), CertificateName::Email(wanted)) => *own == wanted,
        (GeneralName::IPAddress(own), CertificateName::Ip(wanted)) => {
            let own = address(own);
            own.is_some() && own == wanted.parse().ok()
        }
        _ => false,
    })
}

/// The sets of attributes of a certificate's subject; `None` if one is no text.
fn subject_of(certificate: &X509Certificate<'_>) -> Option<Vec<Vec<(String, String)>>> {
    let sets = certificate.subject().iter().map(|set| {
        let attributes = set.iter().map(|attribute| {
            let value = attribute.as_str().ok()?;
            Some((attribute.attr_type().to_id_string(), value.to_owned()))
        });
        attributes.collect()
    });
    sets.collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4: Option<[u8; 4]> = bytes.try_into().ok();
    let v6: Option<[u8; 16]> = bytes.try_into().ok();
    v4.map(IpAddr::from).or_else(|| v6.map(IpAddr::from))
}
