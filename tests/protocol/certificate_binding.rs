//! Access tokens that are bound to a certificate (RFC 8705 section 3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::client_assertions::register;
use crate::client_certificates::{HEADER, base64, behind_proxy, http_client_of, with_own_tls};
use crate::dpop_binding::add_client;
use crate::fapi2::{CALLBACK, pushed};
use crate::pushed_authorization_requests::front_channel;
use crate::support::browser::Browser;
use crate::support::certificates::{CertificateAuthority, Identity, common_name};
use crate::support::client_key::ClientKey;
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, http_client};

const OFFLINE: &str = "openid offline_access";
const BOUND: &str = "tls_client_certificate_bound_access_tokens";

/// A server behind a proxy that passes certificates on, and what it has to keep.
fn server() -> (Server, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = CertificateAuthority::new("Clients");
    let server = behind_proxy(&authority, directory.path(), "127.0.0.1,::1");
    (server, directory)
}

/// The same party, whose proxy was shown this certificate.
pub(crate) fn showing(party: &RelyingParty, identity: Option<&Identity>) -> RelyingParty {
    let mut headers = HeaderMap::new();
    if let Some(identity) = identity {
        let value = HeaderValue::try_from(base64(identity)).expect("a header");
        headers.insert(HEADER, value);
    }
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .default_headers(headers);
    RelyingParty {
        http: http.build().expect("a client"),
        ..party.clone()
    }
}

fn public(server: &Server) -> RelyingParty {
    let metadata = json!({ BOUND: true, "token_endpoint_auth_method": "none" });
    add_client(server, &metadata).authenticating(Authentication::None)
}

fn thumbprint(identity: &Identity) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(&identity.certificate))
}

/// RFC 8705 sections 3, 3.1 and 3.2: from the code to userinfo, for JWTs and opaque tokens.
#[tokio::test]
async fn a_token_is_bound_to_the_certificate_that_the_client_shows() {
    let (server, _directory) = server();
    let own = Identity::self_signed(common_name("app"));
    let other = Identity::self_signed(common_name("app"));
    let opaque = json!({ BOUND: true, "access_token_format": "opaque" });
    for party in [
        add_client(&server, &json!({ BOUND: true })),
        add_client(&server, &opaque),
        public(&server),
    ] {
        let with_own = showing(&party, Some(&own));
        let signed_in = with_own.sign_in(server.user("alice"), OFFLINE).await;
        let refreshed = with_own.refresh(&signed_in.refresh_token).await;
        assert_eq!(refreshed.member("token_type"), "Bearer");
        for tokens in [signed_in, refreshed.tokens()] {
            let token = &tokens.access_token;
            if token.contains('.') {
                let cnf = json!({"x5t#S256": thumbprint(&own)});
                assert_eq!(jwt::claims(token)["cnf"], cnf);
            }
            let info = with_own.userinfo(token).await;
            assert_eq!(info.status, StatusCode::OK, "{}", info.text);
            for identity in [None, Some(&other)] {
                let info = showing(&party, identity).userinfo(token).await;
                info.challenged("invalid_token");
                assert!(info.header("www-authenticate").starts_with("Bearer "));
            }
            if party.client_secret.is_some() {
                let told = party.introspect(token).await;
                assert_eq!(told.member("token_type"), "Bearer");
                assert_eq!(told.json["cnf"]["x5t#S256"], thumbprint(&own));
            }
        }
    }
}

/// RFC 8705 section 3.4: who registered for it gets no other token.
#[tokio::test]
async fn a_client_whose_tokens_are_bound_must_show_a_certificate() {
    let (server, _directory) = server();
    let party = add_client(&server, &json!({ BOUND: true }));
    let own = Identity::self_signed(common_name("app"));
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let (request, away) = party.authorize(&mut browser, alice, "openid").await;
    let refused = party.redeem(&away.code(), &request.verifier).await;
    refused.refused(&["invalid_request"]);
    let party = showing(&party, Some(&own));
    let answer = party.redeem(&away.code(), &request.verifier).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);

    // And who did not, may show one and gets a token of the usual kind.
    let usual = showing(&add_client(&server, &json!({})), Some(&own));
    let tokens = usual.sign_in(alice, "openid").await;
    assert_eq!(jwt::claims(&tokens.access_token)["cnf"], Value::Null);
    let info = showing(&usual, None).userinfo(&tokens.access_token).await;
    assert_eq!(info.status, StatusCode::OK);
}

/// RFC 8705 section 4: what a public client holds is only as safe as its key.
#[tokio::test]
async fn a_refresh_token_of_a_public_client_is_bound_to_its_certificate() {
    let (server, _directory) = server();
    let (own, other) = (
        Identity::self_signed(common_name("app")),
        Identity::self_signed(common_name("app")),
    );
    let alice = server.user("alice");
    let public = public(&server);
    let with_own = showing(&public, Some(&own));
    let tokens = with_own.sign_in(alice, OFFLINE).await;
    for identity in [None, Some(&other)] {
        let party = showing(&public, identity);
        let answer = party.refresh(&tokens.refresh_token).await;
        answer.refused(&["invalid_grant"]);
    }
    with_own.refresh(&tokens.refresh_token).await.tokens();

    // A confidential client shows who it is anyway, and may change its certificate.
    let confidential = add_client(&server, &json!({ BOUND: true }));
    let with_own = showing(&confidential, Some(&own));
    let tokens = with_own.sign_in(alice, OFFLINE).await;
    let with_other = showing(&confidential, Some(&other));
    let answer = with_other.refresh(&tokens.refresh_token).await;
    let claims = jwt::claims(&answer.tokens().access_token);
    assert_eq!(claims["cnf"]["x5t#S256"], thumbprint(&other));
}

/// RFC 8705 section 2 and 3: over TLS of Keyfob's own, in the same request that authenticates.
#[tokio::test]
async fn a_certificate_of_the_connection_itself_binds() {
    let directory = tempfile::tempdir().expect("a directory");
    let (servers, clients) = (
        CertificateAuthority::new("Servers"),
        CertificateAuthority::new("Clients"),
    );
    let server = with_own_tls(directory.path(), &servers, &clients);
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=app",
        BOUND: true,
    });
    register(&server, "app", &metadata);
    let own = clients.client(common_name("app"), vec![]);
    let http = http_client_of(&servers, Some(&own));
    let parameters = [("grant_type", "client_credentials"), ("client_id", "app")];
    let request = http.post(server.url("/oauth2/token")).form(&parameters);
    let token = Answer::of(request).await.tokens().access_token;
    let cnf = json!({"x5t#S256": thumbprint(&own)});
    assert_eq!(jwt::claims(&token)["cnf"], cnf);
    let parameters = [("token", token.as_str()), ("client_id", "app")];
    let request = http.post(server.url("/oauth2/introspect"));
    let told = Answer::of(request.form(&parameters)).await;
    assert_eq!(told.json["cnf"], cnf, "{}", told.text);
    // It speaks for nobody, and its key is looked at first.
    let userinfo = |http: reqwest::Client| {
        let request = http.get(server.url("/oauth2/userinfo"));
        Answer::of(request.bearer_auth(&token))
    };
    let with_none = userinfo(http_client_of(&servers, None)).await;
    with_none.challenged("invalid_token");
    assert_eq!(userinfo(http).await.status, StatusCode::FORBIDDEN);
}

/// FAPI 2.0 Security Profile section 5.3.2.1: mutual TLS, to authenticate and to bind.
#[tokio::test]
async fn under_fapi_a_certificate_authenticates_and_binds() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = CertificateAuthority::new("Clients");
    let server = behind_proxy(&authority, directory.path(), "127.0.0.1,::1");
    let own = Identity::self_signed(common_name("app"));
    let other = Identity::self_signed(common_name("app"));
    let mut jwk = ClientKey::p256("own").jwk;
    jwk["x5c"] = json!([base64(&own)]);
    let metadata = json!({
        "client_id": "fapi",
        "profile": "fapi2",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": {"keys": [jwk]},
        "tls_client_certificate_bound_access_tokens": true,
    });
    let party = RelyingParty {
        redirect_uri: CALLBACK.to_owned(),
        ..RelyingParty::added(&server, &metadata).authenticating(Authentication::None)
    };
    let request = party.request("openid");
    let parameters = pushed(&request);
    for identity in [None, Some(&other)] {
        let party = showing(&party, identity);
        let answer = party.post("/oauth2/par", &parameters).await;
        answer.unauthenticated();
    }
    let with_own = showing(&party, Some(&own));
    let answer = with_own.post("/oauth2/par", &parameters).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let url = front_channel(&party, answer.member("request_uri"));
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&url, &alice.username, &alice.password)
        .await;
    let answer = with_own.redeem(&away.code(), &request.verifier).await;
    let token = answer.tokens().access_token;
    assert!(jwt::claims(&token)["cnf"]["x5t#S256"].is_string());
    assert_eq!(with_own.userinfo(&token).await.status, StatusCode::OK);
    for identity in [None, Some(&other)] {
        let info = showing(&party, identity).userinfo(&token).await;
        info.challenged("invalid_token");
    }
}

/// RFC 8705 section 3.3: announced, and registered for, where certificates reach the server.
#[tokio::test]
async fn binding_to_certificates_is_offered_where_there_are_any() {
    let metadata = async |server: &Server| {
        let url = server.url("/.well-known/openid-configuration");
        Answer::of(http_client().get(url)).await.json
    };
    let with = metadata(&server().0).await;
    assert_eq!(with[BOUND], true);
    assert_eq!(with["mtls_endpoint_aliases"], Value::Null);

    let without = Server::serve();
    assert_eq!(metadata(&without).await[BOUND], Value::Null);
    let asked = json!({ BOUND: true, "grant_types": ["client_credentials"] });
    let output = without.run(&["client", "add", "--metadata", "-"], &asked.to_string());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains(BOUND), "{said}");
}
