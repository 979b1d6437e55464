//! Rich authorization requests (RFC 9396).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::assertions::{assert_told, open};
use crate::pushed_authorization_requests::{front_channel, push};
use crate::support::browser::{Browser, Page};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{Authentication, RelyingParty};

const SECRET: &str = "kfs_a-secret-for-tests-that-nobody-else-uses-0123";

/// A server that knows payments, and a client that may ask for them.
fn bank(members: &Value) -> (Server, RelyingParty) {
    let server = Launch::serve()
        .variable(
            "KEYFOB_AUTHORIZATION_DETAILS__PAYMENT__DESCRIPTION",
            "Pay from your account",
        )
        .variable(
            "KEYFOB_AUTHORIZATION_DETAILS__PAYMENT__ACTIONS",
            "initiate,cancel",
        )
        .variable(
            "KEYFOB_AUTHORIZATION_DETAILS__STATEMENT__DESCRIPTION",
            "See your statements",
        )
        .start();
    let mut metadata = json!({
        "client_id": "shop",
        "client_secret": SECRET,
        "client_name": "Shop",
        "redirect_uris": ["https://rp.test/cb"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "authorization_details_types": ["payment"],
        "scope": "openid offline_access shop",
    });
    for (name, value) in members.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    server.add_client(&metadata);
    let party = RelyingParty {
        client_id: "shop".to_owned(),
        client_secret: Some(SECRET.to_owned()),
        redirect_uri: "https://rp.test/cb".to_owned(),
        authentication: Authentication::Basic,
        ..RelyingParty::web_app(&server)
    };
    (server, party)
}

fn payment(actions: &[&str], amount: &str) -> Value {
    json!([{"type": "payment", "actions": actions, "instructedAmount": {"amount": amount}}])
}

/// RFC 9396 sections 6, 7, 9.1 and 9.2.
#[tokio::test]
async fn what_is_granted_in_detail_is_in_the_answer_the_token_and_its_introspection() {
    for format in ["jwt", "opaque"] {
        let (server, party) = bank(&json!({"access_token_format": format}));
        let details = payment(&["initiate", "cancel"], "12.50");
        let request = party.request("openid offline_access");
        let request = request.and("authorization_details", &details.to_string());
        let mut browser = Browser::new(server.issuer());
        let alice = server.user("alice");
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let answer = party.redeem(&away.code(), &request.verifier).await;
        assert_eq!(answer.json["authorization_details"], details);
        let tokens = answer.tokens();
        assert_tells(&party, &tokens.access_token, &details).await;
        if format == "jwt" {
            let claims = jwt::claims(&tokens.access_token);
            assert_eq!(claims["authorization_details"], details);
        }
        let told = party.introspect(&tokens.refresh_token).await;
        assert_eq!(told.json["authorization_details"], details);

        // A refresh has all of it again, or less where that is asked for, and never more. (The
        // token is good for a while after its rotation.)
        let less = payment(&["cancel"], "12.50");
        for (asked, got) in [(None, &details), (Some(&less), &less), (None, &details)] {
            let mut parameters = vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", &*tokens.refresh_token),
            ];
            let text = asked.map(ToString::to_string).unwrap_or_default();
            parameters.push(("authorization_details", &text));
            let answer = party.token(&parameters).await;
            assert_eq!(
                answer.json["authorization_details"], *got,
                "{}",
                answer.text
            );
            assert_tells(&party, answer.member("access_token"), got).await;
        }
        for more in [
            payment(&["initiate"], "99.00"),
            json!([{"type": "payment"}]),
            json!([{"type": "statement"}]),
            json!({"type": "payment"}),
            json!([]),
        ] {
            let parameters = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &*tokens.refresh_token),
                ("authorization_details", &more.to_string()),
            ];
            let answer = party.token(&parameters).await;
            answer.refused(&["invalid_authorization_details"]);
        }
    }
}

/// RFC 9396 section 6.1.
#[tokio::test]
async fn a_code_may_be_exchanged_for_less_and_not_for_more() {
    let (server, party) = bank(&json!({"skip_consent": true}));
    let details = payment(&["initiate", "cancel"], "1");
    let request = party
        .request("openid")
        .and("authorization_details", &details.to_string());
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    let (code, verifier) = (away.code(), request.verifier);
    let redeem = async |details: &Value| {
        party
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &party.redirect_uri),
                ("code_verifier", &verifier),
                ("authorization_details", &details.to_string()),
            ])
            .await
    };
    let answer = redeem(&payment(&["initiate"], "2")).await;
    answer.refused(&["invalid_authorization_details"]);
    let less = payment(&["initiate"], "1");
    let answer = redeem(&less).await;
    assert_eq!(
        answer.json["authorization_details"], less,
        "{}",
        answer.text
    );
    assert_tells(&party, answer.member("access_token"), &less).await;
}

/// RFC 9396 sections 3 and 5; also when pushed.
#[tokio::test]
async fn details_that_are_not_of_a_type_of_the_clients_are_refused() {
    let (server, party) = bank(&json!({}));
    for details in [
        "payment".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        r#"[{"actions": ["initiate"]}]"#.to_owned(),
        r#"[{"type": "payment", "type": "payment"}]"#.to_owned(),
        json!([{"type": "unknown"}]).to_string(),
        json!([{"type": "statement"}]).to_string(),
        json!([{"type": "payment", "actions": ["steal"]}]).to_string(),
        json!([{"type": "payment", "actions": "initiate"}]).to_string(),
        json!([{"type": "payment"}, {"type": "unknown"}]).to_string(),
        format!("[{}", r#"{"type":"payment","a":"#.repeat(1000)),
        json!([{"type": "payment", "a": "x".repeat(9000)}]).to_string(),
    ] {
        let request = party
            .request("openid")
            .and("authorization_details", &details);
        let pushed = push(&party, &request).await;
        pushed.refused(&["invalid_authorization_details"]);
        if details.len() < 4000 {
            let arrival = open(&request.url()).await;
            let error = "invalid_authorization_details";
            assert_told(arrival, &request, server.issuer(), error);
        }
    }
    let good = payment(&["initiate"], "1").to_string();
    let twice = party
        .request("openid")
        .and("authorization_details", &good)
        .and("authorization_details", &good);
    let arrival = open(&twice.url()).await;
    assert_told(arrival, &twice, server.issuer(), "invalid_request");
    let other = RelyingParty::web_app(&server);
    let request = other.request("openid").and("authorization_details", &good);
    let arrival = open(&request.url()).await;
    let error = "invalid_authorization_details";
    assert_told(arrival, &request, server.issuer(), error);

    let metadata = party.endpoint("/.well-known/openid-configuration");
    let metadata = party.fetch(&metadata).await.json;
    assert_eq!(
        metadata["authorization_details_types_supported"],
        json!(["payment", "statement"])
    );
}

/// RFC 9396 sections 3 and 11: a person sees what they allow, each time.
#[tokio::test]
async fn a_person_allows_details_each_time_and_sees_them() {
    let (server, party) = bank(&json!({}));
    let details = json!([{
        "type": "payment",
        "actions": ["initiate"],
        "instructedAmount": {"currency": "EUR", "amount": "12.50"},
        "creditorName": "<b>Merchant</b>\u{202e}\n",
    }]);
    // Without a scope: what is asked for in detail is all.
    let request = party
        .request("openid")
        .without("scope")
        .and("authorization_details", &details.to_string());
    let pushed = push(&party, &request).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
    let url = front_channel(&party, pushed.member("request_uri"));
    let mut browser = Browser::new(server.issuer());
    let page = browser.open_login(&url).await;
    let alice = server.user("alice");
    let page = browser
        .log_in(&page, &alice.username, &alice.password)
        .await
        .page();
    assert_shows_payment(&page);
    let form = page.form("consent-allow").press("consent-allow");
    let code = browser.submit(&page, &form).await.away().code();
    let answer = party.redeem(&code, &request.verifier).await;
    assert_eq!(answer.json["authorization_details"], details);
    assert_eq!(answer.json["scope"], Value::Null);
    assert_eq!(answer.json["id_token"], Value::Null);

    // The same once more is a second payment.
    let request = party
        .request("openid")
        .without("scope")
        .and("authorization_details", &details.to_string());
    let page = browser.open(&request.url()).await.page();
    assert_shows_payment(&page);
    let form = page.form("consent-deny").press("consent-deny");
    let arrival = browser.submit(&page, &form).await;
    assert_told(arrival, &request, server.issuer(), "access_denied");
    let silent = request.with("prompt", "none");
    let arrival = browser.open(&silent.url()).await;
    assert_told(arrival, &silent, server.issuer(), "consent_required");
}

fn assert_shows_payment(page: &Page) {
    let text = page.document().text;
    for shown in [
        "Pay from your account",
        "initiate",
        "currency EUR, amount 12.50",
        "<b>Merchant</b>\u{fffd}\u{fffd}",
    ] {
        assert!(text.contains(shown), "{shown}: {}", page.describe());
    }
    assert!(!page.body.contains("<b>Merchant"));
    assert!(!text.contains("not asked again"), "{}", page.describe());
}

/// RFC 9396 section 6: for a client that acts as itself, too.
#[tokio::test]
async fn a_client_that_acts_as_itself_may_ask_for_details() {
    let (_server, party) = bank(&json!({"access_token_format": "opaque"}));
    let details = payment(&["initiate"], "3");
    let ask = async |details: &Value| {
        party
            .token(&[
                ("grant_type", "client_credentials"),
                ("scope", "shop"),
                ("authorization_details", &details.to_string()),
            ])
            .await
    };
    let answer = ask(&details).await;
    assert_eq!(
        answer.json["authorization_details"], details,
        "{}",
        answer.text
    );
    assert_tells(&party, answer.member("access_token"), &details).await;
    for wrong in [json!([{"type": "statement"}]), json!("payment")] {
        ask(&wrong)
            .await
            .refused(&["invalid_authorization_details"]);
    }
}

async fn assert_tells(party: &RelyingParty, token: &str, details: &Value) {
    let told = party.introspect(token).await;
    assert_eq!(told.json["active"], true, "{}", told.text);
    assert_eq!(
        told.json["authorization_details"], *details,
        "{}",
        told.text
    );
}
