//! The metadata and the public keys ([OIDC Discovery section 4], [RFC 8414 section 3]).
//!
//! [OIDC Discovery section 4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
//! [RFC 8414 section 3]: https://www.rfc-editor.org/rfc/rfc8414#section-3

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use crate::oidc::metadata::path;
use crate::oidc::protected_resource::ProtectedResource;

use super::cors::allow_everybody;
use super::site::Site;

/// Answers with the metadata.
pub async fn metadata(site: Data<Site>) -> HttpResponse {
    json(&site, site.provider.metadata().await.to_string())
}

/// Answers with the metadata of Keyfob as a whole as a protected resource ([RFC 9728 section 3]).
///
/// [RFC 9728 section 3]: https://www.rfc-editor.org/rfc/rfc9728#section-3
pub async fn protected_resource(site: Data<Site>) -> HttpResponse {
    resource(&site, "")
}

/// The same of the userinfo endpoint.
pub async fn protected_userinfo(site: Data<Site>) -> HttpResponse {
    resource(&site, path::USERINFO)
}

fn resource(site: &Site, path: &str) -> HttpResponse {
    let metadata = ProtectedResource::at(site.provider.issuer(), path);
    json(site, serde_json::json!(metadata).to_string())
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
