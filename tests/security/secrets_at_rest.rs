//! What is handed out is kept nowhere in the clear: not in the log, not in the database.

use std::fs;

use crate::support::browser::Browser;
use crate::support::process::Server;
use crate::support::relying_party::{Authentication, RelyingParty};

/// RFC 9700 section 4.3; ASVS 14 and 16.
#[tokio::test]
async fn no_secret_is_in_the_log_or_the_database() {
    let mut server = Server::serve();
    let mut secrets = Vec::new();
    for (party, user) in [
        (RelyingParty::web_app(&server), "alice"),
        (
            RelyingParty::web_app(&server).authenticating(Authentication::Post),
            "bob",
        ),
        (RelyingParty::single_page_app(&server), "alice"),
    ] {
        let user = server.user(user);
        let mut browser = Browser::new(server.issuer());
        let login = browser.open_login(&party.request("openid").url()).await;
        secrets.push(login.form("login-submit").value("tx").to_owned());
        let wrong = format!("{}-but-wrong", user.password);
        browser.log_in(&login, &user.username, &wrong).await;
        let scope = "openid profile email offline_access";
        let (request, away) = party.authorize(&mut browser, user, scope).await;
        let code = away.code();
        let tokens = party.redeem(&code, &request.verifier).await.tokens();
        let fresh = party.refresh(&tokens.refresh_token).await.tokens();
        party.refresh("kfr_garbage-that-nobody-issued").await;
        party.userinfo(&fresh.access_token).await;
        party.introspect(&fresh.access_token).await;
        party.redeem(&code, &request.verifier).await;
        party.revoke(&fresh.refresh_token).await;
        let mut logout = server.url("/oauth2/logout");
        logout
            .query_pairs_mut()
            .append_pair("id_token_hint", &fresh.id_token)
            .append_pair("state", &request.state);
        browser.open(&logout).await;

        secrets.extend([code, request.verifier, wrong, user.password.clone()]);
        secrets.extend(party.client_secret);
        for tokens in [tokens, fresh] {
            secrets.extend([tokens.access_token, tokens.id_token, tokens.refresh_token]);
        }
        secrets.extend(browser.cookies.into_iter().map(|cookie| cookie.value));
    }
    secrets.retain(|secret| !secret.is_empty());
    assert!(secrets.len() > 30);

    server.kill9();
    let (mut logged, mut stored) = (server.log().into_bytes(), Vec::new());
    for entry in fs::read_dir(server.directory())
        .expect("its directory")
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path()).unwrap_or_default();
        if name.contains("sqlite") {
            stored.extend(bytes);
        } else if name == "stdout" {
            logged.extend(bytes);
        }
    }
    assert!(!stored.is_empty() && !logged.is_empty());
    for secret in secrets {
        assert!(!contains(&logged, &secret), "{secret} is in the log");
        assert!(!contains(&stored, &secret), "{secret} is in the database");
    }
    assert!(!contains(&stored, "PRIVATE KEY"));
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
