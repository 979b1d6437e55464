//! The certificate of whoever sends a request: from the TLS connection, or from a header that a
//! trusted proxy wrote ([RFC 8705 section 6.5], [RFC 9440]).
//!
//! **Invariant:** a header of anybody else than a trusted proxy is not even read.
//!
//! [RFC 8705 section 6.5]: https://www.rfc-editor.org/rfc/rfc8705#section-6.5
//! [RFC 9440]: https://www.rfc-editor.org/rfc/rfc9440

use std::sync::Arc;

use actix_web::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::oidc::client_certificate::ClientCertificate;

use super::site::Site;

impl Site {
    /// The certificate of whoever sends `request`; none if there is none, or none that can be read.
    #[must_use]
    pub fn client_certificate(&self, request: &HttpRequest) -> Option<Arc<ClientCertificate>> {
        let of_connection = || request.conn_data::<Arc<ClientCertificate>>().cloned();
        let Some(name) = &self.client_certificate_header else {
            return of_connection();
        };
        let peer = request.peer_addr()?.ip().to_canonical();
        let mut proxies = self.trusted_proxies.iter();
        if !proxies.any(|network| network.contains(&peer)) {
            return of_connection();
        }
        let mut headers = request.headers().get_all(name.as_str());
        let value = headers.next()?.to_str().ok()?;
        // Two of them: one may be the client's own.
        if headers.next().is_some() {
            return None;
        }
        let der = read(value);
        if der.is_none() && !value.is_empty() {
            tracing::info!("the certificate in the proxy's header cannot be read");
        }
        Some(Arc::new(ClientCertificate {
            der: der?,
            intermediates: Vec::new(),
        }))
    }
}

/// Reads a certificate as proxies write it: a byte sequence of RFC 9440, PEM with percent-encoding
/// or without line breaks, or DER in base64.
fn read(value: &str) -> Option<Vec<u8>> {
    let value = value.trim();
    if let Some(bytes) = value.strip_prefix(':').and_then(|it| it.strip_suffix(':')) {
        return STANDARD.decode(bytes).ok();
    }
    let decoded = percent_decode_str(value).decode_utf8().ok()?;
    let base64 = match decoded.trim().strip_prefix(BEGIN) {
        Some(rest) => rest.split_once(END)?.0,
        None => decoded.trim(),
    };
    let is_space = |character: char| character.is_ascii_whitespace();
    STANDARD.decode(base64.replace(is_space, "")).ok()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_as_every_proxy_writes_it() {
        let base64 = "MAMCAQE=";
        let der = STANDARD.decode(base64).unwrap();
        for value in [
            format!(":{base64}:"),
            base64.to_owned(),
            "MAMCAQE%3D".to_owned(),
            format!("{BEGIN} {base64} {END}"),
            format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A"),
        ] {
            assert_eq!(read(&value).as_ref(), Some(&der), "{value}");
        }
        for value in [":", ":!:", "!", BEGIN, "%ff"] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
