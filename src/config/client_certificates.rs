//! `[client_certificates]`: how the certificates of clients come to Keyfob, and who issues them.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::mistake::Wrong;
use super::outbound::certificates;
use super::reader::Reader;
use crate::oidc::policy::ClientCertificatePolicy;

/// How the certificates of clients come.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificates {
    /// Whether Keyfob's own TLS asks clients for one.
    pub tls: bool,
    /// The header in which the trusted proxies pass on the one that they were shown.
    pub header: Option<String>,
}

/// Reads the section, and what of it is the provider's.
pub(super) fn read(reader: &mut Reader) -> (ClientCertificates, ClientCertificatePolicy) {
    let tls = reader.or("client_certificates.tls", false);
    let header: Option<String> = reader.optional(HEADER);
    let file: Option<PathBuf> = reader.optional(CA_FILE);
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if header.as_ref().is_some_and(|it| !it.bytes().all(is_token)) {
        let wrong = Wrong::new(
            "is not the name of a header",
            "write letters, digits and hyphens, such as \"X-Client-Cert\"",
        );
        reader.wrong(HEADER, wrong);
    }
    let authorities = file.and_then(|file| {
        certificates(&file)
            .map_err(|wrong| reader.wrong(CA_FILE, wrong))
            .ok()
    });
    let is_accepted = tls || header.is_some();
    let policy = ClientCertificatePolicy {
        is_accepted,
        authorities: authorities.unwrap_or_default(),
    };
    (ClientCertificates { tls, header }, policy)
}

/// Takes any certificate whose private key the client has: whose it is, and whether an authority
/// must have issued it, depends on the client that it authenticates.
#[derive(Debug)]
pub(super) struct AnyClient(WebPkiSupportedAlgorithms);

impl AnyClient {
    pub(super) fn new() -> Arc<Self> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        Arc::new(Self(provider.signature_verification_algorithms))
    }
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// The header in which proxies pass certificates on.
pub(super) const HEADER: &str = "client_certificates.header";
const CA_FILE: &str = "client_certificates.ca_file";
