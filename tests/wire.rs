//! What clients read on the wire, member by member, as the specifications have it.

mod support;

use reqwest::StatusCode;
use serde_json::{Value, json};
use support::browser::Browser;
use support::jwt;
use support::launch::Launch;
use support::process::Server;
use support::relying_party::{Answer, RelyingParty, http_client};

/// RFC 8414 section 2; OpenID Connect Discovery 1.0 section 3.
#[tokio::test]
async fn the_metadata_has_every_required_member_and_its_endpoints_are_there() {
    let server = Server::dev();
    let metadata = metadata(&server, "/.well-known/openid-configuration").await;
    let other = self::metadata(&server, "/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata, other);
    assert_eq!(metadata["issuer"], server.issuer());
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(
        metadata["subject_types_supported"],
        json!(["public", "pairwise"])
    );
    assert_eq!(metadata["acr_values_supported"], json!(["1"]));
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        json!(["S256"])
    );
    for (member, value) in [
        ("id_token_signing_alg_values_supported", "RS256"),
        ("scopes_supported", "openid"),
        ("grant_types_supported", "authorization_code"),
    ] {
        let values = metadata[member].as_array().expect(member);
        assert!(values.contains(&json!(value)), "{member}: {values:?}");
    }
    for member in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        assert_eq!(metadata[member], true, "{member}");
    }
    for (member, url) in metadata.as_object().expect("an object") {
        if member.ends_with("_endpoint") || member == "jwks_uri" {
            let url = url.as_str().expect("a URL");
            let answer = Answer::of(http_client().get(url)).await;
            assert_ne!(answer.status, 404, "{member}");
        }
    }
}

/// RFC 9110 section 9.3.2: what can be read can be asked about.
#[tokio::test]
async fn the_front_page_answers_head_as_it_answers_get() {
    for server in [Server::dev(), Server::serve()] {
        let (got, asked) = (
            Answer::of(http_client().get(server.url("/"))).await,
            Answer::of(http_client().head(server.url("/"))).await,
        );
        assert_eq!((got.status, asked.status), (StatusCode::OK, StatusCode::OK));
        assert_eq!(got.header("content-type"), asked.header("content-type"));
        assert_eq!(asked.text, "");
    }
}

/// RFC 8414 section 3.1: the well-known part stands before the issuer's path. OpenID Connect
/// Discovery 1.0 section 4: after it. RFC 9728 section 3.1: before the resource's own.
#[tokio::test]
async fn an_issuer_with_a_path_is_found_in_both_ways() {
    let launch = Launch::serve();
    let port = launch.port().expect("a port");
    let origin = format!("http://localhost:{port}");
    let issuer = format!("{origin}/team/a");
    let server = Server::start(launch.variable("KEYFOB_ISSUER", &issuer));
    for url in [
        format!("{origin}/.well-known/oauth-authorization-server/team/a"),
        format!("{origin}/.well-known/openid-configuration/team/a"),
        format!("{issuer}/.well-known/oauth-authorization-server"),
        format!("{issuer}/.well-known/openid-configuration"),
    ] {
        let answer = Answer::of(http_client().get(&url)).await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json["issuer"], issuer, "{url}");
        assert_eq!(
            answer.json["jwks_uri"],
            format!("{issuer}/.well-known/jwks.json")
        );
    }
    let protected = format!("{origin}/.well-known/oauth-protected-resource");
    for path in ["/team/a", "/team/a/oauth2/userinfo"] {
        let answer = Answer::of(http_client().get(format!("{protected}{path}"))).await;
        assert_eq!(answer.json["resource"], format!("{origin}{path}"));
        assert_eq!(answer.json["authorization_servers"], json!([issuer]));
    }
    let bare = server.url("/").origin().ascii_serialization();
    let outside = format!("{bare}/.well-known/openid-configuration");
    assert_eq!(Answer::of(http_client().get(outside)).await.status, 404);
}

/// OpenID Connect Core 1.0 section 2; RFC 9068 section 2.
#[tokio::test]
async fn both_tokens_have_the_members_of_their_specifications() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let (request, away) = party.authorize(&mut browser, alice, "openid email").await;
    let answer = party.redeem(&away.code(), &request.verifier).await;
    let tokens = answer.tokens();

    let keys = party.jwks().await;
    let badge = jwt::verify(&tokens.id_token, &keys);
    let members = [
        "acr",
        "amr",
        "at_hash",
        "aud",
        "auth_time",
        "azp",
        "email",
        "email_verified",
        "exp",
        "iat",
        "iss",
        "nonce",
        "sid",
        "sub",
    ];
    assert_eq!(names(&badge), members);
    assert_eq!(badge["iss"], server.issuer());
    assert_eq!(badge["aud"], party.client_id);
    assert_eq!(badge["azp"], party.client_id);
    assert_eq!(badge["nonce"], request.nonce);
    assert_eq!(badge["amr"], json!(["pwd"]));
    assert_eq!(badge["email"], json!(alice.email));
    assert_eq!(jwt::header(&tokens.id_token)["alg"], "RS256");

    let card = jwt::verify(&tokens.access_token, &keys);
    let members = [
        "acr",
        "amr",
        "aud",
        "auth_time",
        "client_id",
        "exp",
        "grant_id",
        "iat",
        "iss",
        "jti",
        "scope",
        "sub",
    ];
    assert_eq!(names(&card), members);
    assert_eq!(jwt::header(&tokens.access_token)["typ"], "at+jwt");
    assert_eq!(card["iss"], server.issuer());
    assert_eq!(card["aud"], server.issuer());
    assert_eq!(card["sub"], badge["sub"]);
    assert_eq!(card["client_id"], party.client_id);
    assert_eq!(card["scope"], "openid email");
    let lifetime = card["exp"].as_i64().zip(card["iat"].as_i64());
    let lifetime = lifetime.map(|(end, start)| end - start);
    assert_eq!(answer.json["expires_in"].as_i64(), lifetime);
}

/// RFC 6749 sections 3.3 and 5.1.
#[tokio::test]
async fn an_answer_with_tokens_names_what_was_granted_and_is_not_kept() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let scope = "openid nonsense api:read";
    let (request, away) = party.authorize(&mut browser, alice, scope).await;
    let answer = party.redeem(&away.code(), &request.verifier).await;
    assert_eq!(
        names(&answer.json),
        [
            "access_token",
            "expires_in",
            "id_token",
            "scope",
            "token_type",
        ]
    );
    assert_eq!(answer.json["scope"], "openid api:read");
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
}

/// OpenID Connect Core 1.0 section 12.2.
#[tokio::test]
async fn a_refresh_gives_an_id_token_of_the_same_sign_in_without_a_nonce() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let tokens = party.sign_in(alice, "openid offline_access").await;
    let refreshed = party.refresh(&tokens.refresh_token).await.tokens();
    let (before, after) = (
        jwt::claims(&tokens.id_token),
        jwt::claims(&refreshed.id_token),
    );
    for same in ["iss", "sub", "aud", "azp", "auth_time", "sid"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(before.get("nonce").is_some() && after.get("nonce").is_none());
}

/// RFC 6749 section 4.4.3.
#[tokio::test]
async fn a_client_that_acts_as_itself_gets_an_access_token_and_no_more() {
    let server = Server::dev();
    let machine = RelyingParty::machine(&server);
    let answer = machine.token(&[("grant_type", "client_credentials")]).await;
    let members = ["access_token", "expires_in", "scope", "token_type"];
    assert_eq!(names(&answer.json), members);
    let card = jwt::claims(&answer.tokens().access_token);
    assert_eq!(card["sub"], machine.client_id);
    assert_eq!(card["client_id"], machine.client_id);
}

/// OpenID Connect Core 1.0 sections 5.1 and 5.4.
#[tokio::test]
async fn claims_have_their_types_and_come_with_their_scopes() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let carol = server.user("carol");
    let tokens = party.sign_in(carol, "openid").await;
    let userinfo = party.userinfo(&tokens.access_token).await;
    assert_eq!(names(&userinfo.json), ["sub"]);

    let scope = "openid profile email phone address groups";
    let tokens = party.sign_in(carol, scope).await;
    let userinfo = party.userinfo(&tokens.access_token).await.json;
    assert!(userinfo["email_verified"].is_boolean());
    assert!(userinfo["phone_number_verified"].is_boolean());
    assert!(userinfo["updated_at"].is_i64());
    assert!(userinfo["address"]["formatted"].is_string());
    assert_eq!(userinfo["groups"], json!(["staff"]));
    assert_eq!(userinfo["preferred_username"], "carol");
    let badge = jwt::claims(&tokens.id_token);
    for (name, value) in userinfo.as_object().expect("an object") {
        assert_eq!(badge[name], *value, "{name} in the ID token");
    }
}

/// OAuth 2.0 Form Post Response Mode section 2.
#[tokio::test]
async fn an_answer_by_form_post_has_every_parameter_in_the_form_and_none_in_the_address() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let request = party.request("openid").with("response_mode", "form_post");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    assert_eq!(away.url.query(), None);
    let mut fields: Vec<_> = away.form.iter().map(|(name, _)| name.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["code", "iss", "state"]);
    let answer = party.redeem(&away.code(), &request.verifier).await;
    answer.tokens();
}

async fn metadata(server: &Server, path: &str) -> Value {
    Answer::of(http_client().get(server.url(path))).await.json
}

/// The names of an object's members, in order.
fn names(object: &Value) -> Vec<&str> {
    let members = object.as_object().into_iter().flatten();
    let mut names: Vec<_> = members.map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}
