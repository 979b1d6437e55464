//! WebFinger (RFC 7033, OpenID Connect Discovery 1.0 section 2).

use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::support::launch::{Launch, free_port};
use crate::support::relying_party::{Answer, http_client};

/// What Tailscale asks for.
#[tokio::test]
async fn the_issuer_of_a_domain_is_found_at_the_root_of_the_host() {
    for path in ["", "/tenant"] {
        let port = free_port();
        let issuer = format!("http://localhost:{port}{path}");
        let launch = Launch::serve()
            .variable("KEYFOB_ISSUER", &issuer)
            .variable("KEYFOB_WEBFINGER__DOMAINS", "example.com, example.org")
            .listening_on(port);
        let server = launch.start();
        let ask = async |query: &[(&str, &str)]| {
            let url = format!("http://localhost:{port}/.well-known/webfinger");
            let url = Url::parse_with_params(&url, query).expect("a URL");
            Answer::of(http_client().get(url)).await
        };
        let rel = ("rel", "http://openid.net/specs/connect/1.0/issuer");
        // Whether somebody has an account makes no difference.
        for resource in ["acct:alice@example.com", "acct:nobody@example.com"] {
            let answer = ask(&[("resource", resource), rel]).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(answer.header("content-type"), "application/jrd+json");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let link = json!({ "rel": rel.1, "href": server.issuer() });
            assert_eq!(answer.json, json!({"subject": resource, "links": [link]}));
        }
        let answer = ask(&[("resource", "acct:bob@example.org"), ("rel", "avatar")]).await;
        assert_eq!(answer.json["links"], json!([]));
        let answer = ask(&[("resource", server.issuer())]).await;
        assert_eq!(answer.json["links"][0]["href"], server.issuer());

        let elsewhere = ask(&[("resource", "acct:alice@elsewhere.test")]).await;
        assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
        for malformed in [&[rel][..], &[("resource", "alice")], &[]] {
            let answer = ask(malformed).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{malformed:?}");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
    }
}
