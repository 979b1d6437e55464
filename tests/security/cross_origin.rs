//! What pages of other origins may read.

use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty, http_client};
use reqwest::Method;

/// RFC 9700 section 2.6; CVE-2024-41657.
#[tokio::test]
async fn no_other_origin_reads_the_authorization_endpoint() {
    let server = Server::dev();
    let url = RelyingParty::web_app(&server).request("openid").url();
    for method in [Method::OPTIONS, Method::GET] {
        for origin in ["https://evil.com", "null", server.issuer()] {
            let request = http_client()
                .request(method.clone(), url.clone())
                .header("origin", origin)
                .header("access-control-request-method", "GET");
            let answer = Answer::of(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
}

/// RFC 9700 section 2.6.
#[tokio::test]
async fn only_registered_origins_read_tokens_and_never_with_cookies() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let uri: url::Url = party.redirect_uri.parse().expect("a redirect URI");
    let own = uri.origin().ascii_serialization();
    for path in ["/oauth2/token", "/oauth2/userinfo", "/oauth2/revoke"] {
        for (origin, expected) in [(&*own, &*own), ("https://evil.com", ""), ("null", "")] {
            let preflight = http_client()
                .request(Method::OPTIONS, server.url(path))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization");
            let preflight = Answer::of(preflight).await;
            let posted = http_client()
                .post(server.url(path))
                .header("origin", origin)
                .form(&[("client_id", &*party.client_id)]);
            let posted = Answer::of(posted).await;
            for answer in [&preflight, &posted] {
                let allowed = answer.header("access-control-allow-origin");
                assert_eq!(allowed, expected, "{path} for {origin}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
            }
            if !expected.is_empty() {
                let headers = preflight.header("access-control-allow-headers");
                let headers = headers.to_ascii_lowercase();
                assert!(headers.contains("authorization"), "{path}: {headers}");
                assert!(
                    posted
                        .header("vary")
                        .to_ascii_lowercase()
                        .contains("origin")
                );
            }
        }
    }
}

/// OpenID Connect Discovery 1.0 section 4: what is public is public to pages, too.
#[tokio::test]
async fn every_origin_reads_metadata_and_keys() {
    let server = Server::dev();
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
    ] {
        let request = http_client()
            .get(server.url(path))
            .header("origin", "https://any.test");
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}
