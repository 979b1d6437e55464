//! DPoP proofs in requests ([RFC 9449]).
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::client_certificate::ClientCertificate;
use crate::oidc::dpop::DpopError;
use crate::provider::client::dpop::Sender;

use super::site::Site;

/// What a request to the endpoint at `path` shows of its sender, beside the `certificate` of its
/// connection; `access_token` is the one that it carries, at a protected resource.
pub fn sender(
    site: &Site,
    request: &HttpRequest,
    path: &str,
    access_token: Option<&str>,
    certificate: Option<Arc<ClientCertificate>>,
) -> Result<Sender, DpopError> {
    let mut headers = request.headers().get_all(PROOF);
    let proof = match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some(_), Some(_)) => return Err(DpopError::Unreadable),
        (Some(header), None) => {
            let proof = header.to_str().map_err(|_| DpopError::Unreadable)?;
            let method = request.method().as_str();
            let proof = site
                .provider
                .read_proof(proof, method, path, access_token)?;
            Some(proof)
        }
    };
    Ok(Sender { proof, certificate })
}

/// Hands out the nonce for the next proof, to clients that send proofs, where proofs need one.
pub fn hand_out_nonce(site: &Site, request: &HttpRequest, response: &mut HttpResponse) {
    if !request.headers().contains_key(PROOF) {
        return;
    }
    let nonce = site.provider.dpop_nonce();
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        response.headers_mut().insert(NONCE, nonce);
    }
}

const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
