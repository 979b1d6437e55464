//! Redirect URIs: the same bytes as registered, and nothing is ever sent anywhere else.

use crate::assertions::{assert_page, assert_told, open};
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;
use serde_json::{Value, json};

/// RFC 9700 sections 2.1 and 4.1; CVE-2026-28512, CVE-2023-6291, CVE-2024-8883, CVE-2020-15234.
#[tokio::test]
async fn a_redirect_uri_that_differs_in_any_byte_is_refused_on_a_page() {
    let server = serving("https://rp.test/cb");
    let party = RelyingParty::web_app(&server);
    for uri in [
        "https://rp.test/cb/",
        "https://rp.test/CB",
        "https://rp.test/cb?x=1",
        "https://rp.test/cb?",
        "https://rp.test/cb#f",
        "https://rp.test/cb#",
        "https://rp.test/cb/../x",
        "https://rp.test/x/../cb",
        "https://rp.test/./cb",
        "https://rp.test//cb",
        "https://rp.test/%63b",
        "https://rp.test/cb%2f",
        "https://rp.test/cb%00",
        "https://rp.test/cb%0d%0aX:1",
        "https://rp.test/cb;x",
        "https://rp.test/cb\\",
        "https:\\\\rp.test\\cb",
        "https://rp.test\\@evil.com/cb",
        "https://rp.test:443/cb",
        "https://rp.test:8443/cb",
        "https://rp.test:/cb",
        "http://rp.test/cb",
        "//rp.test/cb",
        "/cb",
        "cb",
        "https:/rp.test/cb",
        "https:rp.test/cb",
        "https://rp.test./cb",
        "https://RP.test/cb",
        "HTTPS://rp.test/cb",
        "https://rp.test.evil.com/cb",
        "https://evil.com/https://rp.test/cb",
        "https://evil.com?https://rp.test/cb",
        "https://evil.com#https://rp.test/cb",
        "https://rp.test@evil.com/cb",
        "https://evil.com@rp.test/cb",
        "https://user:pass@rp.test/cb",
        "https://rp.test%2eevil.com/cb",
        "https://rp.test%40evil.com/cb",
        "https://rp\u{ff0e}test/cb",
        "https://rp.test/cb\u{200b}",
        "https://xn--rp-test/cb",
        "javascript:alert(1)//https://rp.test/cb",
        "data:text/html,https://rp.test/cb",
        "https://rp.test/cb ",
        " https://rp.test/cb",
        "https://rp.test/cb\u{0}",
        "https://rp.test/cb\r\nLocation: https://evil.com",
        "https://rp.test\t/cb",
        "https://rp.test/c\nb",
        "https://rp.test/cb\u{7f}",
        "*",
        "https://*.test/cb",
    ] {
        let request = party.request("openid").with("redirect_uri", uri);
        assert_page(open(&request.url()).await, uri);
    }
    let request = party.request("openid").with("prompt", "none");
    assert_told(
        open(&request.url()).await,
        &request,
        server.issuer(),
        "login_required",
    );
}

/// RFC 8252 sections 7.3 and 8.3; CVE-2020-15233.
#[tokio::test]
async fn only_a_loopback_address_may_change_its_port() {
    let server = serving("http://127.0.0.1/own/cb");
    let party = RelyingParty::web_app(&server);
    for port in ["", ":8080", ":51234", ":65535"] {
        let uri = format!("http://127.0.0.1{port}/own/cb");
        let request = party.request("openid").with("redirect_uri", &uri);
        let request = request.with("prompt", "none");
        let arrival = open(&request.url()).await;
        assert_told(arrival, &request, server.issuer(), "login_required");
    }
    for uri in [
        "http://localhost:51234/own/cb",
        "http://[::1]:51234/own/cb",
        "http://127.0.0.2:51234/own/cb",
        "http://127.1:51234/own/cb",
        "http://2130706433:51234/own/cb",
        "http://0x7f.0.0.1:51234/own/cb",
        "http://127.0.0.1.evil.com/own/cb",
        "http://127.0.0.1:1@evil.com/own/cb",
        "http://127.0.0.1:1.evil.com/own/cb",
        "http://127.0.0.1:/own/cb",
        "http://127.0.0.1:0x50/own/cb",
        "http://127.0.0.1:+80/own/cb",
        "http://127.0.0.1:65536/own/cb",
        "http://127.0.0.1:99999999999/own/cb",
        "http://127.0.0.1:51234/own/CB",
        "http://127.0.0.1:51234/own/cb/",
        "http://127.0.0.1:51234/own/cb?x",
        "http://127.0.0.1:51234/own/cb#x",
        "https://127.0.0.1:51234/own/cb",
    ] {
        let request = party.request("openid").with("redirect_uri", uri);
        assert_page(open(&request.url()).await, uri);
    }
}

/// OIDC Core section 3.1.2.1.
#[tokio::test]
async fn a_request_without_redirect_uri_is_refused_on_a_page() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for request in [
        party.request("openid").without("redirect_uri"),
        party.request("openid").with("redirect_uri", ""),
    ] {
        assert_page(open(&request.url()).await, "no redirect_uri");
    }
}

/// RFC 6749 section 4.1.2.1.
#[tokio::test]
async fn an_unknown_client_is_refused_on_a_page_that_does_not_repeat_it() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let injected = "<img src=x onerror=1>";
    for client_id in [
        "", "nobody", injected, "web-app ", "WEB-APP", "a\u{0}b", "'--",
    ] {
        let request = party.request("openid").with("client_id", client_id);
        let page = assert_page(open(&request.url()).await, client_id);
        assert!(!page.body.contains(injected), "{}", page.body);
    }
    let request = party.request("openid").without("client_id");
    assert_page(open(&request.url()).await, "no client_id");
}

/// CVE-2024-21637, CVE-2026-22752.
#[tokio::test]
async fn a_redirect_uri_that_runs_or_hides_something_cannot_be_registered() {
    let server = Server::serve();
    for uri in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "blob:https://rp.test/x",
        "https://rp.test/cb#fragment",
        "https://user@rp.test/cb",
        "/relative",
        "https://",
        "",
    ] {
        assert_not_registered(&server, &json!({"redirect_uris": [uri]}));
    }
}

/// CVE-2019-8400: these stand in links on the consent page.
#[tokio::test]
async fn a_link_that_runs_something_cannot_be_registered() {
    let server = Server::serve();
    for member in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        for uri in [
            "javascript:alert(1)",
            "data:image/svg+xml,<svg/>",
            "vbscript:x",
            "//x",
        ] {
            let metadata = json!({"redirect_uris": ["https://rp.test/cb"], member: uri});
            assert_not_registered(&server, &metadata);
        }
    }
}

fn assert_not_registered(server: &Server, metadata: &Value) {
    let file = server.directory().join("refused.json");
    std::fs::write(&file, metadata.to_string()).expect("a file");
    let file = file.to_string_lossy();
    let output = server.run(&["client", "add", "--metadata", &file], "");
    assert!(!output.status.success(), "{metadata} was registered");
}

/// `keyfob dev` that knows this redirect URI, which every party made from it uses.
fn serving(uri: &str) -> Server {
    let mut server = Launch::dev().arguments(&["--redirect-uri", uri]).start();
    for client in &mut server.ready.clients {
        client.redirect_uris.retain(|own| own == uri);
    }
    let is_there = server.ready.clients.iter().any(|client| {
        client.client_secret.is_some() && client.redirect_uris.iter().any(|own| own == uri)
    });
    assert!(is_there, "{uri} is registered for the web app");
    server
}
