//! Clients that manage their registration (RFC 7592).

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::registration::{party, register, registering, web_client};
use crate::support::launch::{Database, Launch};
use crate::support::process::Server;
use crate::support::relying_party::{Answer, http_client, random_text};

/// RFC 7592 sections 2.1 and 3; the suite's third-party-initiated login.
#[tokio::test]
async fn a_client_reads_its_registration() {
    let server = registering("open");
    let mut described = web_client();
    described["initiate_login_uri"] = json!("https://rp.test/login");
    let told = register(&server, None, &described).await.json;
    assert_eq!(told["initiate_login_uri"], "https://rp.test/login");

    let read = manage(Method::GET, &told, None).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    assert_eq!(read.header("cache-control"), "no-store");
    let mut expected = told.clone();
    // Only its digest is kept.
    let members = expected.as_object_mut().expect("an object");
    members.remove("client_secret");
    members.remove("client_secret_expires_at");
    assert_eq!(read.json, expected);
}

/// RFC 7592 section 2.2.
#[tokio::test]
async fn a_client_replaces_its_registration_as_a_whole() {
    let server = registering("open");
    let mut described = web_client();
    described["client_name"] = json!("Before");
    described["tos_uri"] = json!("https://rp.test/terms");
    let told = register(&server, None, &described).await.json;

    let next = |changes: Value| {
        let mut next = json!({
            "client_id": told["client_id"], "redirect_uris": ["https://rp.test/next"],
        });
        for (name, value) in changes.as_object().expect("changes") {
            next[name] = value.clone();
        }
        next
    };
    for (wrong, member) in [
        (json!({"client_id": null}), "client_id"),
        (json!({"client_id": "other"}), "client_id"),
        (json!({"client_secret": "my own choice"}), "client_secret"),
        (
            json!({"redirect_uris": ["http://rp.test/cb"]}),
            "redirect_uris",
        ),
        (
            json!({"initiate_login_uri": "http://rp.test/"}),
            "initiate_login_uri",
        ),
    ] {
        let refused = manage(Method::PUT, &told, Some(&next(wrong))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{member}");
        assert!(refused.member("error_description").starts_with(member));
    }
    let unchanged = manage(Method::GET, &told, None).await;
    assert_eq!(unchanged.member("client_name"), "Before");

    let changes = json!({"client_secret": told["client_secret"], "client_name": "After"});
    let updated = manage(Method::PUT, &told, Some(&next(changes))).await;
    assert_eq!(updated.status, StatusCode::OK, "{}", updated.text);
    assert_eq!(updated.member("client_name"), "After");
    assert_eq!(updated.json["tos_uri"], Value::Null);
    assert_eq!(updated.json["client_secret"], Value::Null);
    let mut party = party(&server, &told);
    party.redirect_uri = "https://rp.test/next".to_owned();
    party.sign_in(server.user("alice"), "openid").await;

    // A public client has no secret; who needs one again gets a new one.
    let public = next(json!({"token_endpoint_auth_method": "none"}));
    let updated = manage(Method::PUT, &told, Some(&public)).await;
    assert_eq!(updated.json["client_secret"], Value::Null);
    party.redeem("any", "any").await.unauthenticated();
    let updated = manage(Method::PUT, &told, Some(&next(json!({})))).await;
    let secret = updated.member("client_secret");
    assert_ne!(told["client_secret"], secret);
    assert_eq!(updated.json["client_secret_expires_at"], 0);
    party.redeem("any", "any").await.unauthenticated();
    let party = party.with_secret(secret);
    party.redeem("any", "any").await.refused(&["invalid_grant"]);
}

/// S90; RFC 7592 sections 2.3 and 3.
#[tokio::test]
async fn a_registration_access_token_is_good_for_its_own_client_and_as_long_as_that() {
    let server = registering("open");
    let one = register(&server, None, &web_client()).await.json;
    let other = register(&server, None, &web_client()).await.json;
    let party = party(&server, &one);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    let web_app = &server.web_app().client_id;

    let challenged = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    };
    for (id, token) in [
        (&other["client_id"], &one["registration_access_token"]),
        (&one["client_id"], &json!("kfm_guessed")),
        (&one["client_id"], &one["client_secret"]),
        (&one["client_id"], &json!(tokens.access_token)),
        (&json!(web_app), &one["registration_access_token"]),
        (&json!("nobody"), &one["registration_access_token"]),
        (&one["client_id"], &json!("")),
    ] {
        let id = id.as_str().expect("an id");
        let mut forged = one.clone();
        let uri = server.url(&format!("/oauth2/register/{id}"));
        forged["registration_client_uri"] = json!(uri.as_str());
        forged["registration_access_token"] = token.clone();
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            challenged(&manage(method, &forged, Some(&web_client())).await);
        }
    }
    let request = http_client().get(one["registration_client_uri"].as_str().expect("a URI"));
    challenged(&Answer::of(request).await);

    let deleted = manage(Method::DELETE, &one, None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(deleted.text, "");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        challenged(&manage(method, &one, Some(&web_client())).await);
    }
    let gone = party.userinfo(&tokens.access_token).await;
    gone.challenged("invalid_token");
    party.redeem("any", "any").await.unauthenticated();
    assert_eq!(
        manage(Method::GET, &other, None).await.status,
        StatusCode::OK
    );
}

/// Closing registration is about those who come; disabling a client is about that one.
#[tokio::test]
async fn who_closes_registration_keeps_the_clients_there_are() {
    let master_key = [random_text(), random_text()].concat();
    let launch = Launch::serve().variable("KEYFOB_MASTER_KEY", &master_key);
    let opened = launch.clone().variable("KEYFOB_REGISTRATION__MODE", "open");
    let mut open = opened.start();
    let mut told = register(&open, None, &web_client()).await.json;
    open.kill9();
    let url = open.database_url().expect("a database of its own");
    let closed = Server::start_empty(launch.on(Database::Url(url)));

    let refused = register(&closed, None, &web_client()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let path = format!(
        "/oauth2/register/{}",
        told["client_id"].as_str().expect("an id")
    );
    told["registration_client_uri"] = json!(closed.url(&path).as_str());
    assert_eq!(
        manage(Method::GET, &told, None).await.status,
        StatusCode::OK
    );

    let statement = "UPDATE clients SET disabled_at = 1 WHERE self_registered_at IS NOT NULL";
    closed.execute(statement.to_owned()).await;
    let read = manage(Method::GET, &told, None).await;
    assert_eq!(read.status, StatusCode::UNAUTHORIZED);
}

async fn manage(method: Method, told: &Value, body: Option<&Value>) -> Answer {
    let uri = told["registration_client_uri"].as_str().expect("a URI");
    let token = told["registration_access_token"].as_str().expect("a token");
    let request = http_client().request(method, uri).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Answer::of(request).await
}
