//! Addresses that clients register and Keyfob itself may come to ask: judged when they are
//! registered, and not asked for that.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::registration::{register, registering, web_client};
use crate::support::peer::{Peer, write_json};
use crate::support::relying_party::{Answer, http_client};

/// S89; CVE-2020-10770, CVE-2026-22752.
#[tokio::test]
async fn an_address_that_may_not_be_asked_is_not_registered() {
    let peer = Peer::http(|_, stream| write_json(stream, "", "{\"keys\":[]}"));
    let server = registering("open");
    let port = peer.port();
    let described = |uri: &str| {
        let mut described = web_client();
        described["token_endpoint_auth_method"] = json!("private_key_jwt");
        described["jwks_uri"] = json!(uri);
        described
    };
    let good = register(&server, None, &described("https://rp.test/jwks")).await;
    assert_eq!(good.status, StatusCode::CREATED, "{}", good.text);
    assert_eq!(good.member("jwks_uri"), "https://rp.test/jwks");
    assert_eq!(good.json["client_secret"], Value::Null);

    for uri in [
        format!("https://127.0.0.1:{port}/jwks"),
        format!("http://127.0.0.1:{port}/jwks"),
        format!("https://localhost:{port}/jwks"),
        format!("https://[::1]:{port}/jwks"),
        format!("https://[::ffff:127.0.0.1]:{port}/jwks"),
        format!("https://2130706433:{port}/jwks"),
        "https://10.0.0.1/jwks".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://rp.test:22/jwks".to_owned(),
        "http://rp.test/jwks".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://rp.test/".to_owned(),
    ] {
        let answer = register(&server, None, &described(&uri)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}");
        assert_eq!(answer.member("error"), "invalid_client_metadata", "{uri}");
        let description = answer.member("error_description");
        assert!(description.starts_with("jwks_uri"), "{uri}: {description}");

        let mut changed = described(&uri);
        changed["client_id"] = good.json["client_id"].clone();
        let request = http_client()
            .request(Method::PUT, good.member("registration_client_uri"))
            .bearer_auth(good.member("registration_access_token"));
        let answer = Answer::of(request.json(&changed)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}");
    }
    assert_eq!(peer.connections(), 0);
}
