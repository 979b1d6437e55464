//! How clients say who they are at the token endpoint, and what that endpoint reads at all.

use std::time::{Duration, Instant};

use crate::codes::fresh_code;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, http_client};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

/// RFC 6749 section 2.3.1.
#[tokio::test]
async fn a_wrong_secret_and_an_unknown_client_get_the_same_answer() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let parameters = [("grant_type", "client_credentials")];
    for authentication in [Authentication::Basic, Authentication::Post] {
        let party = party.clone().authenticating(authentication);
        let wrong = party.clone().with_secret("wrong").token(&parameters).await;
        let mut unknown = party.clone();
        unknown.client_id = "nobody".to_owned();
        let unknown = unknown.token(&parameters).await;
        let empty = party.clone().with_secret("").token(&parameters).await;
        for answer in [&wrong, &unknown, &empty] {
            answer.unauthenticated();
            assert_eq!(answer.text, wrong.text);
            assert_eq!(answer.header("cache-control"), "no-store");
            let challenge = answer.header("www-authenticate");
            let is_basic = authentication == Authentication::Basic;
            assert_eq!(challenge.starts_with("Basic"), is_basic, "{challenge}");
        }
        assert_eq!(party.token(&parameters).await.status, StatusCode::OK);
    }
}

/// RFC 6749 section 2.3.1; node-oidc-provider 9.11.4.
#[tokio::test]
async fn a_malformed_authorization_header_authenticates_nobody() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let (id, secret) = (&party.client_id, party.client_secret.clone());
    let secret = secret.unwrap_or_default();
    let encoded = |text: String| format!("Basic {}", STANDARD.encode(text));
    for header in [
        "Basic !!!".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        encoded(id.clone()),
        encoded(format!("{id}:{secret}%")),
        encoded(format!("{id}:{secret}%zz")),
        encoded(format!("{id}:{secret}%00")),
        encoded(format!("{id}\u{0}:{secret}")),
        encoded(format!("{id}:{secret}\u{0}")),
        encoded(format!("{id}%20:{secret}")),
        encoded(format!("{id}+:{secret}")),
        encoded(format!("{id}:{secret}+")),
        encoded(format!("{id}:{}", secret.to_uppercase())),
        format!("Basic {}", STANDARD.encode(b"\xff:\xff")),
        format!("Bearer {}", STANDARD.encode(format!("{id}:{secret}"))),
        format!("Digest username=\"{id}\""),
    ] {
        let answer = post(&server, Some(&header), CLIENT_CREDENTIALS).await;
        answer.unauthenticated();
    }
    // Both parts are decoded, once: what needs no escape may have one.
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let once = encoded(format!("{id}:{escaped}"));
    let answer = post(&server, Some(&once), CLIENT_CREDENTIALS).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let twice = encoded(format!("{id}:{}", escaped.replace('%', "%25")));
    let answer = post(&server, Some(&twice), CLIENT_CREDENTIALS).await;
    answer.unauthenticated();
}

/// OAuth 2.1 section 2.4.
#[tokio::test]
async fn a_client_says_who_it_is_in_one_way() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let (id, secret) = (&*party.client_id, party.client_secret.clone());
    let secret = secret.unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A\
                     jwt-bearer&client_assertion=a.b.c";
    for body in [
        format!("{CLIENT_CREDENTIALS}&client_secret={secret}"),
        format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={secret}"),
        format!("{CLIENT_CREDENTIALS}&client_id=another"),
        format!("{CLIENT_CREDENTIALS}&{assertion}"),
    ] {
        let answer = post(&server, Some(&basic), &body).await;
        answer.refused(&["invalid_request"]);
    }
    let body = format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={secret}&{assertion}");
    post(&server, None, &body)
        .await
        .refused(&["invalid_request"]);

    // Its own client_id beside the header is fine: many libraries send it.
    let body = format!("{CLIENT_CREDENTIALS}&client_id={id}");
    let answer = post(&server, Some(&basic), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// ASVS 10.4.10; CVE-2026-22752.
#[tokio::test]
async fn a_client_authenticates_as_it_is_registered() {
    let server = Server::dev();
    let confidential = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &confidential).await;
    let silent = confidential.clone().authenticating(Authentication::None);
    silent.redeem(&code, &verifier).await.unauthenticated();
    confidential.redeem(&code, &verifier).await.tokens();

    let public = RelyingParty::single_page_app(&server);
    let (code, verifier) = fresh_code(&server, &public).await;
    for authentication in [Authentication::Basic, Authentication::Post] {
        let boasting = public.clone().with_secret("anything");
        let boasting = boasting.authenticating(authentication);
        boasting.redeem(&code, &verifier).await.unauthenticated();
    }
    public.redeem(&code, &verifier).await.tokens();
}

/// RFC 6749 section 2.3.1.
#[tokio::test]
async fn a_secret_in_the_query_is_refused_and_not_logged() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let secret = party.client_secret.clone().unwrap_or_default();
    for query in [
        format!("client_id={}&client_secret={secret}", party.client_id),
        format!("client_secret={secret}"),
        CLIENT_CREDENTIALS.to_owned(),
    ] {
        let url = server.url(&format!("/oauth2/token?{query}"));
        let request = http_client()
            .post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(CLIENT_CREDENTIALS);
        let answer = Answer::of(request).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        assert_eq!(answer.member("access_token"), "");
        if query.contains("secret") {
            answer.refused(&["invalid_request"]);
        }
    }
    assert!(!server.log().contains(&secret));
}

/// RUSTSEC-2022-0018: how much of a secret is right cannot be timed.
#[tokio::test]
async fn a_secret_that_is_nearly_right_takes_as_long_as_one_that_is_not() {
    let server = Server::dev();
    let party = RelyingParty::machine(&server);
    let secret = party.client_secret.clone().unwrap_or_default();
    let near = format!("{}{}", &secret[..secret.len().min(44) - 1], "~~~");
    let far = "~".repeat(near.len());
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..400 {
        for (guess, times) in [&near, &far].into_iter().zip(&mut times) {
            let party = party.clone().with_secret(guess);
            let start = Instant::now();
            let answer = party.token(&[("grant_type", "client_credentials")]).await;
            times.push(start.elapsed());
            answer.unauthenticated();
        }
    }
    let [near, far] = times.map(median);
    let ratio = near.as_secs_f64() / far.as_secs_f64();
    assert!((0.8..1.25).contains(&ratio), "{near:?} and {far:?}");
}

/// RFC 9700 section 2.4; RFC 6749 section 5.2; CVE-2024-52287.
#[tokio::test]
async fn a_client_uses_the_grants_it_has() {
    let server = Server::dev();
    let machine = RelyingParty::machine(&server);
    let web = RelyingParty::web_app(&server);
    for (grant_type, error) in [
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("CLIENT_CREDENTIALS", "unsupported_grant_type"),
        // Without what it exchanges, a grant that there is gives nothing either.
        (
            "urn:ietf:params:oauth:grant-type:device_code",
            "invalid_request",
        ),
        (
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "invalid_request",
        ),
        ("", "invalid_request"),
    ] {
        let answer = machine.token(&[("grant_type", grant_type)]).await;
        answer.refused(&[error]);
    }
    machine.token(&[]).await.refused(&["invalid_request"]);
    let answer = machine
        .token(&[("grant_type", "authorization_code"), ("code", "x")])
        .await;
    answer.refused(&["unauthorized_client"]);
    let answer = web.token(&[("grant_type", "client_credentials")]).await;
    answer.refused(&["unauthorized_client"]);
    let public = RelyingParty::single_page_app(&server);
    let answer = public.token(&[("grant_type", "client_credentials")]).await;
    assert!(["invalid_client", "unauthorized_client"].contains(&answer.member("error")));
    for scope in ["openid", "profile", "offline_access"] {
        let parameters = [("grant_type", "client_credentials"), ("scope", scope)];
        machine.token(&parameters).await.refused(&["invalid_scope"]);
    }
}

/// RFC 6749 sections 3.2 and 5.2.
#[tokio::test]
async fn the_token_endpoint_reads_posted_forms_and_nothing_else() {
    let server = Server::dev();
    let url = server.url("/oauth2/token");
    let answer = Answer::of(http_client().get(url.clone())).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.header("allow").contains("POST"));

    let party = RelyingParty::machine(&server);
    let secret = party.client_secret.clone().unwrap_or_default();
    let credentials = STANDARD.encode(format!("{}:{secret}", party.client_id));
    for (content_type, body) in [
        (
            Some("application/json"),
            r#"{"grant_type":"client_credentials"}"#,
        ),
        (Some("text/plain"), CLIENT_CREDENTIALS),
        (Some("multipart/form-data; boundary=x"), "--x--"),
        (
            Some("application/x-www-form-urlencodedx"),
            CLIENT_CREDENTIALS,
        ),
        (None, CLIENT_CREDENTIALS),
        (Some("application/x-www-form-urlencoded"), ""),
        (Some("application/x-www-form-urlencoded"), "grant_type=%zz"),
        (Some("application/x-www-form-urlencoded"), "grant_type=%00"),
        (
            Some("application/x-www-form-urlencoded"),
            "grant_type=client_credentials&grant_type=client_credentials",
        ),
    ] {
        let mut request = http_client()
            .post(url.clone())
            .header(AUTHORIZATION, format!("Basic {credentials}"))
            .header("accept", "text/html")
            .body(body);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let answer = Answer::of(request).await;
        answer.refused(&["invalid_request"]);
        assert!(
            answer
                .header("content-type")
                .starts_with("application/json")
        );
    }
    let request = http_client()
        .post(url)
        .header(AUTHORIZATION, format!("Basic {credentials}"))
        .header(
            CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
        .body(CLIENT_CREDENTIALS);
    assert_eq!(Answer::of(request).await.status, StatusCode::OK);
}

async fn post(server: &Server, authorization: Option<&str>, body: &str) -> Answer {
    let mut request = http_client()
        .post(server.url("/oauth2/token"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.to_owned());
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    Answer::of(request).await
}

/// The middle one of some durations.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
