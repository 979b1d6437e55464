//! The metadata and the public keys ([OIDC Discovery section 4], [RFC 8414 section 3]).
//!
//! [OIDC Discovery section 4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
//! [RFC 8414 section 3]: https://www.rfc-editor.org/rfc/rfc8414#section-3

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use super::cors::allow_everybody;
use super::site::Site;

/// Answers with the metadata.
pub async fn metadata(site: Data<Site>) -> HttpResponse {
    json(&site, site.provider.metadata().await.to_string())
}

/// Answers with the public keys.
pub async fn jwks(site: Data<Site>) -> HttpResponse {
    json(&site, site.provider.jwks().to_string())
}

fn json(site: &Site, body: String) -> HttpResponse {
    let cache = site.provider.policy().key_rotation.cache.as_secs();
    let mut response = HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={cache}")))
        .body(body);
    allow_everybody(&mut response);
    response
}
