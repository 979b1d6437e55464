//! What people see of a client that registered itself.

use reqwest::StatusCode;
use serde_json::json;

use crate::registration::{party, register, registering, web_client};
use crate::support::browser::Browser;
use crate::support::relying_party::{Answer, RelyingParty, http_client};

/// S7; RFC 9700 section 4.11.2.
#[tokio::test]
async fn nobody_is_sent_with_an_error_to_a_client_that_nobody_has_checked_without_a_click() {
    let server = registering("open");
    let mut described = web_client();
    described["client_name"] = json!("<img src=x onerror=1>");
    let told = register(&server, None, &described).await.json;
    let self_made = party(&server, &told);
    let wrong = |party: &RelyingParty| party.request("openid").with("response_type", "nonsense");
    let request = wrong(&self_made);

    let mut stranger = Browser::new(server.issuer());
    let page = stranger.open(&request.url()).await.page();
    assert!(page.is_refusal(), "{}", page.describe());
    assert!(
        page.body.contains("<code>https://rp.test/cb</code>"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<img src=x"), "{}", page.body);
    let link = page.body.split("id=\"error-return\" href=\"").nth(1);
    let link = link
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    let link = link.replace("&#38;", "&");
    assert!(
        link.starts_with("https://rp.test/cb?error=unsupported_response_type&"),
        "{link}"
    );
    assert!(
        link.contains(&format!("&state={}", request.state)),
        "{link}"
    );

    let by_form = request.clone().with("response_mode", "form_post");
    let answer = Answer::of(http_client().get(by_form.url())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    let field = "name=\"error\" value=\"unsupported_response_type\"";
    assert!(answer.text.contains(field), "{}", answer.text);
    // It does not post itself.
    assert!(
        answer.text.contains("id=\"error-return\""),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("<script"), "{}", answer.text);

    let bad_hint = self_made.request("openid").with("id_token_hint", "x.y.z");
    let page = stranger.open(&bad_hint.url()).await.page();
    assert!(page.is_refusal(), "{}", page.describe());

    // As specified, since no page may be shown; to a client that the operator has registered; and
    // from a browser in which somebody is signed in.
    let silent = request.clone().with("prompt", "none");
    let away = stranger.open(&silent.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
    let trusted = wrong(&RelyingParty::web_app(&server));
    let away = stranger.open(&trusted.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
    let mut signed_in = Browser::new(server.issuer());
    self_made
        .authorize(&mut signed_in, server.user("alice"), "openid")
        .await;
    let away = signed_in.open(&request.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
}

/// The suite's registration-logo-uri, -policy-uri, -tos-uri; S85.
#[tokio::test]
async fn the_consent_page_shows_what_a_client_says_of_itself_and_that_nobody_has_checked_it() {
    let server = registering("open");
    let mut described = web_client();
    for (member, uri) in [
        (
            "logo_uri",
            "https://img.rp.test:8443/logo.png?a=\"><script>",
        ),
        ("client_uri", "https://rp.test/"),
        ("policy_uri", "https://rp.test/privacy"),
        ("tos_uri", "https://rp.test/terms?a=1&b=\"onclick"),
    ] {
        described[member] = json!(uri);
    }
    let told = register(&server, None, &described).await.json;
    let request = party(&server, &told).request("openid profile");
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&request.url()).await;
    let links = [
        "href=\"https://rp.test/\"",
        "href=\"https://rp.test/privacy\"",
        "href=\"https://rp.test/terms?a=1&#38;b=&#34;onclick\"",
    ];
    for link in links {
        assert!(login.body.contains(link), "{link} in {}", login.body);
    }
    // Who has not signed in yet loads nothing from elsewhere.
    assert!(!login.body.contains("img.rp.test"), "{}", login.body);
    assert!(
        login
            .header("content-security-policy")
            .contains("img-src 'self';")
    );

    let alice = server.user("alice");
    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    for link in links {
        assert!(consent.body.contains(link), "{link} in {}", consent.body);
    }
    let logo = "src=\"https://img.rp.test:8443/logo.png?a=&#34;&#62;&#60;script&#62;\"";
    assert!(consent.body.contains(logo), "{}", consent.body);
    let policy = consent.header("content-security-policy");
    assert!(
        policy.contains("img-src 'self' https://img.rp.test:8443;"),
        "{policy}"
    );
    assert!(
        consent.body.contains("id=\"consent-caution\""),
        "{}",
        consent.body
    );
    assert_eq!(consent.header("referrer-policy"), "no-referrer");

    let request = RelyingParty::web_app(&server).request("openid profile");
    let consent = browser.open(&request.url()).await.page();
    assert!(
        !consent.body.contains("consent-caution"),
        "{}",
        consent.body
    );
}
