//! WebFinger ([RFC 7033], [OIDC Discovery section 2]).
//!
//! [RFC 7033]: https://www.rfc-editor.org/rfc/rfc7033
//! [OIDC Discovery section 2]: https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::webfinger::{WebFingerError, describe};

use super::cors::allow_everybody;
use super::form;
use super::site::Site;

/// Says where the people of a domain sign in.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let provider = &site.provider;
    let domains = &provider.policy().webfinger_domains;
    let described = form::query(&request)
        .map_err(|_| WebFingerError::Malformed)
        .and_then(|query| describe(&query, provider.issuer(), domains));
    let mut response = match described {
        Ok(descriptor) => {
            let cache = provider.policy().key_rotation.cache.as_secs();
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, format!("public, max-age={cache}")))
                .insert_header((header::CONTENT_TYPE, "application/jrd+json"))
                .json(descriptor)
        }
        Err(error @ WebFingerError::Malformed) => {
            HttpResponse::BadRequest().body(error.to_string())
        }
        Err(error @ WebFingerError::UnknownResource) => {
            HttpResponse::NotFound().body(error.to_string())
        }
    };
    // RFC 7033 section 5.
    allow_everybody(&mut response);
    response
}
