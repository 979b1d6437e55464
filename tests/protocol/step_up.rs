//! RFC 9470: tokens say when and how somebody signed in, and who wants it fresher is understood.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{RelyingParty, Tokens};

const TWO_HOURS: Duration = Duration::from_hours(2);

fn party(server: &Server, format: &str) -> RelyingParty {
    let metadata = json!({
        "client_id": format!("shop-{format}"),
        "client_secret": "kfs_a-secret-that-no-other-test-uses-0123456789",
        "redirect_uris": ["https://shop.test/callback"],
        "access_token_format": format,
        "skip_consent": true,
    });
    RelyingParty::added(server, &metadata)
}

/// RFC 9068 section 2.2.1; RFC 9470 sections 6.1 and 6.2.
#[tokio::test]
async fn tokens_say_when_and_how_somebody_signed_in() {
    let server = Server::serve();
    for format in ["jwt", "opaque"] {
        let party = party(&server, format);
        let scope = "openid offline_access";
        let tokens = party.sign_in(server.user("alice"), scope).await;
        let badge = jwt::claims(&tokens.id_token);
        assert!(badge["auth_time"].is_i64(), "{badge}");
        let refreshed = party.refresh(&tokens.refresh_token).await.tokens();
        for token in [&tokens.access_token, &refreshed.access_token] {
            let introspected = party.introspect(token).await.json;
            let card = (format == "jwt").then(|| jwt::claims(token));
            for told in card.iter().chain([&introspected]) {
                for member in ["auth_time", "acr", "amr"] {
                    assert_eq!(told[member], badge[member], "{format} {member}: {told}");
                }
            }
        }
    }
    // Where nobody signed in, nothing is said of that.
    let machine = RelyingParty::machine(&server);
    let answer = machine.token(&[("grant_type", "client_credentials")]).await;
    let token = answer.tokens().access_token;
    let introspected = machine.introspect(&token).await.json;
    for told in [jwt::claims(&token), introspected] {
        for member in ["auth_time", "acr", "amr"] {
            assert_eq!(told[member], Value::Null, "{told}");
        }
    }
}

/// RFC 9470 sections 3 to 5.
#[tokio::test]
async fn an_old_sign_in_is_challenged_and_a_new_one_passes() {
    let launch = Launch::serve().variable("KEYFOB_STEP_UP__USERINFO_MAX_AGE", "1h");
    let server = launch.start();
    let alice = server.user("alice");
    for format in ["jwt", "opaque"] {
        let party = party(&server, format);
        let mut browser = Browser::new(server.issuer());
        let fresh = party.sign_in_with(&mut browser, alice, "openid").await;
        let answer = party.userinfo(&fresh.access_token).await;
        assert_eq!(answer.status, 200, "{format}: {}", answer.text);

        // The same session two hours later: it signs in, and its tokens say how old it is.
        server
            .age("sessions", &["authenticated_at"], TWO_HOURS)
            .await;
        let request = party.request("openid");
        let away = browser.open(&request.url()).await.away();
        let old = party.redeem(&away.code(), &request.verifier).await.tokens();
        let answer = party.userinfo(&old.access_token).await;
        answer.challenged("insufficient_user_authentication");
        assert_eq!(answer.member("error"), "insufficient_user_authentication");
        let challenge = answer.header("www-authenticate");
        let (_, max_age) = challenge.split_once("max_age=\"").expect("a max_age");
        let max_age = max_age.split('"').next().unwrap_or_default();
        assert_eq!(max_age, "3600", "{challenge}");

        // What the challenge asks for is a parameter of the next request.
        let request = party.request("openid").with("max_age", max_age);
        let request = request.with("acr_values", "1");
        let page = browser.open_login(&request.url()).await;
        let (name, password) = (&alice.username, &alice.password);
        let away = browser.log_in(&page, name, password).await.away();
        let answer = party.redeem(&away.code(), &request.verifier).await;
        let Tokens { access_token, .. } = answer.tokens();
        let answer = party.userinfo(&access_token).await;
        assert_eq!(answer.status, 200, "{format}: {}", answer.text);
        // The sign-in that the old token comes of has not become any younger.
        let answer = party.userinfo(&old.access_token).await;
        answer.challenged("insufficient_user_authentication");
    }
}
