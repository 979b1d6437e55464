//! The pages of a sign-in: bound to the browser that began it, safe from other sites, and showing
//! nothing that runs.

use crate::support::browser::{Browser, Page};
use crate::support::html::Form;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, ORIGIN};

/// CVE-2022-39222; CVE-2026-7507; CVE-2020-5300.
#[tokio::test]
async fn a_page_of_a_sign_in_opens_only_in_the_browser_that_began_it() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut attacker = Browser::new(server.issuer());
    let page = attacker.open_login(&party.request("openid").url()).await;
    let transaction = page.form("login-submit").value("tx").to_owned();

    let mut victim = Browser::new(server.issuer());
    let alice = server.user("alice");
    party.sign_in_with(&mut victim, alice, "openid").await;
    for path in ["/login", "/consent", "/select-account", "/continue"] {
        let mut url = server.url(path);
        url.query_pairs_mut().append_pair("tx", &transaction);
        for browser in [&mut victim, &mut Browser::new(server.issuer())] {
            let page = browser.open(&url).await.page();
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.describe());
            assert!(page.is_refusal());
        }
    }
}

/// CVE-2022-39222.
#[tokio::test]
async fn what_a_victim_allows_never_reaches_the_attacker() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut attacker = Browser::new(server.issuer());
    let page = attacker.open_login(&party.request("openid").url()).await;
    let theirs = page.form("login-submit").value("tx").to_owned();

    let mut victim = Browser::new(server.issuer());
    let own = victim.open_login(&party.request("openid").url()).await;
    let alice = server.user("alice");
    let form = own
        .form("login-submit")
        .fill("username", &alice.username)
        .fill("password", &alice.password)
        .tamper("tx", Some(&theirs));
    let answer = victim.submit(&own, &form).await.page();
    assert!(answer.is_refusal(), "{}", answer.describe());

    let page = attacker.open(&page.url).await.page();
    let is_login = page.document().form_with_field("password").is_some();
    assert!(is_login, "the attacker is at: {}", page.describe());
}

/// RFC 9700 sections 4.2 and 4.16.
#[tokio::test]
async fn every_page_has_the_headers_that_protect_it() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let mut pages = Vec::new();

    let login = browser
        .open_login(&party.request("openid profile").url())
        .await;
    pages.push(browser.log_in(&login, "alice", "wrong").await.page());
    let consent = browser
        .log_in(&login, "alice", &alice.password)
        .await
        .page();
    let form = consent.form("consent-allow").press("consent-allow");
    browser.submit(&consent, &form).await.away();
    pages.extend([login, consent]);

    let form_post = party.request("openid").with("response_mode", "form_post");
    pages.push(browser.get(&form_post.url()).await);
    let choose = party.request("openid").with("prompt", "select_account");
    pages.push(browser.open(&choose.url()).await.page());
    let untrusted = party.request("openid").without("redirect_uri");
    pages.push(browser.open(&untrusted.url()).await.page());
    let logout = browser.open(&server.url("/oauth2/logout")).await.page();
    let form = logout.form("logout-confirm").press("logout-confirm");
    pages.push(browser.submit(&logout, &form).await.page());
    pages.push(logout);
    pages.push(browser.open(&server.url("/nothing-here")).await.page());
    pages.push(browser.open(&server.url("/")).await.page());

    for page in pages {
        assert_protected(&page);
    }
}

fn assert_protected(page: &Page) {
    let what = page.describe();
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{what}"
    );
    assert_eq!(page.header("x-frame-options"), "DENY", "{what}");
    assert_eq!(page.header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(page.header("cache-control"), "no-store", "{what}");
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(page.header("access-control-allow-origin"), "", "{what}");
    let policy = page.header("content-security-policy");
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    for wanted in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&wanted), "{wanted} in {policy}: {what}");
    }
    for forbidden in [
        "unsafe-inline",
        "unsafe-eval",
        "*",
        "http:",
        "https:",
        "data:",
    ] {
        let is_in = directives.iter().any(|directive| {
            let is_form = directive.starts_with("form-action");
            !is_form
                && directive
                    .split_whitespace()
                    .any(|word| word.contains(forbidden))
        });
        assert!(!is_in, "{forbidden} in {policy}: {what}");
    }
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    for element in page.document().elements {
        let source = element.attribute("src").or(match &*element.name {
            "link" | "image" | "use" => element.attribute("href"),
            _ => None,
        });
        let is_own = source.is_none_or(|it| !it.contains("//") && !it.starts_with("data:"));
        assert!(is_own, "{element:?}: {what}");
        if element.name == "script" || element.name == "style" {
            assert!(nonce.is_some(), "no nonce in {policy}: {what}");
            assert_eq!(element.attribute("nonce"), nonce, "{what}");
        }
        let handler = element
            .attributes
            .iter()
            .find(|(name, _)| name.starts_with("on"));
        assert_eq!(handler, None, "{what}");
        assert_eq!(element.attribute("style"), None, "{what}");
    }
}

/// RFC 9700 section 4.7; CVE-2020-10734.
#[tokio::test]
async fn a_form_that_another_site_sends_does_nothing() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&party.request("openid").url()).await;
    let form = login
        .form("login-submit")
        .fill("username", &alice.username)
        .fill("password", &alice.password);
    assert_forgeries_fail(&mut browser, &login, &form).await;
    assert!(browser.cookie("session").is_none());

    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    let form = consent.form("consent-allow").press("consent-allow");
    assert_forgeries_fail(&mut browser, &consent, &form).await;

    let logout = browser.open(&server.url("/oauth2/logout")).await.page();
    let form = logout.form("logout-confirm").press("logout-confirm");
    assert_forgeries_fail(&mut browser, &logout, &form).await;

    // After all that, the person goes on where they were.
    let form = consent.form("consent-allow").press("consent-allow");
    browser.submit(&consent, &form).await.away().code();
}

/// Sends `form` as other sites would, and asserts that each is refused with 403.
async fn assert_forgeries_fail(browser: &mut Browser, page: &Page, form: &Form) {
    let mut other = Browser::new(page.url.as_str());
    let mut foreign_page = page.url.clone();
    foreign_page.set_query(None);
    foreign_page.set_path("/oauth2/logout");
    let elsewhere = other.open(&foreign_page).await.page();
    let forms = elsewhere.document().forms;
    let foreign = forms.iter().find(|form| form.has("csrf"));
    let foreign = foreign.map_or("x".repeat(43), |form| form.value("csrf").to_owned());

    let target = page.url.join(&form.action).expect("the form's action");
    let header = |name: &'static str, value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    };
    for (forged, headers) in [
        (form.clone().tamper("csrf", None), HeaderMap::new()),
        (form.clone().tamper("csrf", Some("")), HeaderMap::new()),
        (
            form.clone().tamper("csrf", Some(&foreign)),
            HeaderMap::new(),
        ),
        (form.clone(), header(ORIGIN.as_str(), "https://evil.com")),
        (form.clone(), header("sec-fetch-site", "cross-site")),
        (form.clone(), header("sec-fetch-site", "same-site")),
    ] {
        let answer = browser.submit_with(&target, &forged, headers.clone()).await;
        let what = format!("{:?} {headers:?}: {}", forged.fields, answer.describe());
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
        assert!(answer.headers.get("set-cookie").is_none(), "{what}");
    }
}

/// CVE-2026-7571.
#[tokio::test]
async fn what_is_consented_to_is_what_was_asked_and_counts_once() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let request = party.request("openid");
    let login = browser.open_login(&request.url()).await;
    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    let form = consent.form("consent-allow").press("consent-allow");
    let altered = form
        .clone()
        .tamper("scope", Some("openid email phone groups"))
        .tamper("client_id", Some(&server.single_page_app().client_id))
        .tamper("redirect_uri", Some("https://evil.com/cb"))
        .tamper("response_type", Some("token"))
        .tamper("response_mode", Some("fragment"))
        .tamper("user", Some("bob"))
        .tamper("username", Some("bob"));
    let away = browser.submit(&consent, &altered).await.away();
    assert!(away.url.as_str().starts_with(&party.redirect_uri));
    let answer = party.redeem(&away.code(), &request.verifier).await;
    assert_eq!(answer.member("scope"), "openid");
    let userinfo = party.userinfo(&answer.tokens().access_token).await;
    assert_eq!(userinfo.json.as_object().map(serde_json::Map::len), Some(1));

    let again = browser.submit(&consent, &form).await.page();
    assert_eq!(
        again.status,
        StatusCode::BAD_REQUEST,
        "{}",
        again.describe()
    );
}

/// RFC 6749 section 4.1.2.1.
#[tokio::test]
async fn a_person_may_say_no() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let request = party.request("openid");
    let login = browser.open_login(&request.url()).await;
    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    let form = consent.form("consent-deny").press("consent-deny");
    let away = browser.submit(&consent, &form).await.away();
    assert_eq!(away.error(), "access_denied");
    assert_eq!(away.parameter("state"), Some(request.state));
    assert_eq!(away.parameter("iss").as_deref(), Some(server.issuer()));

    let page = browser.open(&party.request("openid").url()).await.page();
    let asks_again = page.document().by_id("consent-allow").is_some();
    assert!(asks_again, "{}", page.describe());
}

/// Two tabs never mix.
#[tokio::test]
async fn two_sign_ins_in_one_browser_do_not_mix() {
    let server = Server::dev();
    let one = RelyingParty::web_app(&server);
    let other = RelyingParty::single_page_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let (first, second) = (one.request("openid email"), other.request("openid"));
    let first_page = browser.open_login(&first.url()).await;
    let second_page = browser.open_login(&second.url()).await;

    let consent = browser
        .log_in(&first_page, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    let form = consent.form("consent-allow").press("consent-allow");
    let first_away = browser.submit(&consent, &form).await.away();
    let second_away = browser
        .log_in(&second_page, &alice.username, &alice.password)
        .await
        .page();
    let form = second_away.form("consent-allow").press("consent-allow");
    let second_away = browser.submit(&second_away, &form).await.away();

    assert_eq!(first_away.parameter("state"), Some(first.state));
    assert_eq!(second_away.parameter("state"), Some(second.state));
    let answer = one.redeem(&first_away.code(), &first.verifier).await;
    assert_eq!(answer.member("scope"), "openid email");
    let answer = other.redeem(&second_away.code(), &second.verifier).await;
    assert_eq!(answer.member("scope"), "openid");
}

/// A sign-in survives a restart of the server.
#[tokio::test]
async fn a_sign_in_goes_on_after_a_restart() {
    let mut server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice").clone();
    let mut browser = Browser::new(server.issuer());
    let request = party.request("openid");
    let login = browser.open_login(&request.url()).await;
    server.restart();
    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    server.restart();
    let form = consent.form("consent-allow").press("consent-allow");
    let away = browser.submit(&consent, &form).await.away();
    server.restart();
    party.redeem(&away.code(), &request.verifier).await.tokens();
}

/// CVE-2019-8400; CVE-2026-42849; CVE-2024-28855.
#[tokio::test]
async fn what_others_wrote_is_shown_as_text() {
    const INJECTED: &str = "<img src=x onerror=1>";
    let server = Server::serve();
    let name = format!("{INJECTED}\"'{{{{7*7}}}}");
    server.add_client(&serde_json::json!({
        "client_id": "injected",
        "client_secret": "kfs_a-secret-of-forty-three-characters-and-more",
        "client_name": name,
        "redirect_uris": ["https://rp.test/cb"],
    }));
    server.add_user(&serde_json::json!({
        "username": "mallory",
        "password": "violet-otter-7-lamp",
        "name": name,
        "email": "mallory@example.com",
    }));
    let mut party = RelyingParty::web_app(&server);
    party.client_id = "injected".to_owned();
    party.redirect_uri = "https://rp.test/cb".to_owned();

    let request = party
        .request("openid")
        .with("login_hint", INJECTED)
        .with("ui_locales", INJECTED);
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&request.url()).await;
    assert_shown_as_text(&login, INJECTED);
    let wrong = browser.log_in(&login, INJECTED, INJECTED).await.page();
    assert_shown_as_text(&wrong, INJECTED);
    let consent = browser
        .log_in(&login, "mallory", "violet-otter-7-lamp")
        .await;
    let consent = consent.page();
    assert!(consent.document().text.contains(INJECTED));
    assert_shown_as_text(&consent, INJECTED);
    let logout = browser.open(&server.url("/oauth2/logout")).await.page();
    assert_shown_as_text(&logout, INJECTED);

    for query in [
        "?error=<img src=x onerror=1>&error_description=<img src=x onerror=1>",
        "?tx=<img src=x onerror=1>",
        "?client_id=<img src=x onerror=1>&redirect_uri=<img src=x onerror=1>",
    ] {
        for path in ["/oauth2/authorize", "/login", "/continue", "/x", "/"] {
            let url = server.url(&format!("{path}{query}"));
            let page = Browser::new(server.issuer()).get(&url).await;
            assert!(!page.body.contains("onerror"), "{}", page.body);
        }
    }
}

fn assert_shown_as_text(page: &Page, injected: &str) {
    assert!(!page.body.contains(injected), "{}", page.body);
    let elements = page.document().elements;
    let is_made = elements.iter().any(|it| it.attribute("onerror").is_some());
    assert!(!is_made, "{}", page.body);
}

/// RFC 9700 section 4.12.
#[tokio::test]
async fn no_redirect_sends_a_password_on() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&party.request("openid").url()).await;
    let form = login
        .form("login-submit")
        .fill("username", &alice.username)
        .fill("password", &alice.password);
    let mut answer = browser.submit_only(&login, &form).await;
    while answer.status.is_redirection() {
        // 307 and 308 would post the password again.
        assert!([302, 303].contains(&answer.status.as_u16()));
        let target = answer.url.join(answer.header("location"));
        answer = browser.get(&target.expect("a location")).await;
    }
    let form = answer.form("consent-allow").press("consent-allow");
    let answer = browser.submit_only(&answer, &form).await;
    assert!([302, 303].contains(&answer.status.as_u16()));
}
