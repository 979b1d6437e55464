//! Pairwise subjects (OpenID Connect Core 1.0 section 8): what a client is told that a person is
//! called, wherever it is told, and that it is nothing that another sector is told.

use serde_json::{Value, json};

use crate::registration::register;
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::{Peer, write_json};
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;

const SCOPE: &str = "openid email offline_access";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A client with pairwise subjects, in the sector of its one redirect URI.
fn add(server: &Server, name: &str, redirect_uri: &str, more: &Value) -> RelyingParty {
    let mut metadata = json!({
        "client_id": name,
        "client_secret": format!("kfs_the-secret-of-{name}-that-nobody-guesses"),
        "redirect_uris": [redirect_uri],
        "subject_type": "pairwise",
        "skip_consent": true,
    });
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    RelyingParty::added(server, &metadata)
}

/// What everybody calls a user.
fn public_subject(server: &Server, username: &str) -> String {
    let shown = server.operate(&["user", "show", username, "--json"], "");
    shown["sub"].as_str().expect("a subject").to_owned()
}

/// The subject that a client is told for alice, the same wherever it is told, together with all
/// that was said to it.
async fn subject_everywhere(server: &Server, party: &RelyingParty) -> (String, String) {
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let (request, away) = party.authorize(&mut browser, alice, SCOPE).await;
    let answer = party.redeem(&away.code(), &request.verifier).await;
    let tokens = answer.tokens();
    let sub = jwt::claims(&tokens.id_token)["sub"].clone();
    let subject = sub.as_str().expect("a subject").to_owned();

    let refreshed = party.refresh(&tokens.refresh_token).await;
    let renewed = refreshed.tokens();
    assert_eq!(jwt::claims(&renewed.id_token)["sub"], sub);
    let mut said = vec![away.url.to_string(), answer.text, refreshed.text];
    for token in [&tokens.access_token, &renewed.access_token] {
        if token.contains('.') {
            assert_eq!(jwt::claims(token)["sub"], sub);
            said.push(jwt::claims(token).to_string());
        }
        let userinfo = party.userinfo(token).await;
        assert_eq!(userinfo.member("email"), "alice@example.com");
        let introspected = party.introspect(token).await;
        assert_eq!(introspected.json["active"], true);
        for told in [userinfo, introspected] {
            assert_eq!(told.member("sub"), subject, "{}", told.text);
            said.push(told.text);
        }
    }
    let told = party.introspect(&renewed.refresh_token).await;
    assert_eq!(told.member("sub"), subject, "{}", told.text);
    said.push(told.text);
    for token in [&tokens.id_token, &renewed.id_token] {
        said.push(jwt::claims(token).to_string());
    }

    // Once more, in a session that is there, and by the front channel where the client may.
    let request = party.request(SCOPE).with("prompt", "none");
    let away = browser.open(&request.url()).await.away();
    let again = party.redeem(&away.code(), &request.verifier).await.tokens();
    assert_eq!(jwt::claims(&again.id_token)["sub"], sub);
    let request = request.with("response_type", "code id_token");
    let away = browser.open(&request.url()).await.away();
    if let Some(id_token) = away.parameter("id_token") {
        assert_eq!(jwt::claims(&id_token)["sub"], sub);
        said.push(jwt::claims(&id_token).to_string());
    }
    (subject, said.join("\n"))
}

/// OIDC Core sections 8 and 8.1; 5.3.2: the subject of userinfo is that of the ID token.
#[tokio::test]
async fn a_person_has_one_name_in_each_sector_and_no_sector_is_told_that_of_another() {
    let mut server = Server::serve();
    let public = public_subject(&server, "alice");
    let hybrid = json!({
        "grant_types": ["authorization_code", "refresh_token", "implicit"],
        "response_types": ["code", "code id_token"],
    });
    let opaque = json!({"access_token_format": "opaque"});
    let shop = add(&server, "shop", "https://shop.test/callback", &hybrid);
    let till = add(&server, "till", "https://shop.test:8443/till", &opaque);
    let bank = add(&server, "bank", "https://bank.test/callback", &opaque);

    let (at_shop, shop_heard) = subject_everywhere(&server, &shop).await;
    let (at_till, till_heard) = subject_everywhere(&server, &till).await;
    let (at_bank, bank_heard) = subject_everywhere(&server, &bank).await;
    assert_eq!(at_shop, at_till, "one sector");
    assert_ne!(at_shop, at_bank, "two sectors");
    assert_eq!(at_shop.len(), 43, "256 bits: {at_shop}");
    for heard in [&shop_heard, &till_heard, &bank_heard] {
        assert!(!heard.contains(&public), "{heard}");
        assert!(!heard.contains("username"), "{heard}");
    }
    assert!(!shop_heard.contains(&at_bank));
    assert!(!bank_heard.contains(&at_shop));

    // Others are told what they were always told, and somebody else is somebody else.
    let web_app = RelyingParty::web_app(&server);
    let tokens = web_app.sign_in(server.user("alice"), SCOPE).await;
    assert_eq!(jwt::claims(&tokens.id_token)["sub"], public.as_str());
    let told = web_app.introspect(&tokens.access_token).await;
    assert_eq!(told.member("username"), "alice");
    let bobs = shop.sign_in(server.user("bob"), SCOPE).await;
    assert_ne!(jwt::claims(&bobs.id_token)["sub"], at_shop.as_str());

    // It is a key in the store that makes them, so they stay.
    server.restart();
    let tokens = shop.sign_in(server.user("alice"), SCOPE).await;
    assert_eq!(jwt::claims(&tokens.id_token)["sub"], at_shop.as_str());
}

/// OIDC Core sections 3.1.2.1 and 5.5.1; RP-Initiated Logout 1.0 section 2.
#[tokio::test]
async fn the_name_that_a_client_was_told_is_the_one_it_may_hint_at() {
    let server = Server::serve();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let public = public_subject(&server, "alice");
    let shop = add(&server, "shop", "https://shop.test/callback", &json!({}));
    let mut browser = Browser::new(server.issuer());
    let of_alice = shop.sign_in_with(&mut browser, alice, "openid").await;
    let of_bob = shop.sign_in(bob, "openid").await;
    let own = jwt::claims(&of_alice.id_token)["sub"].clone();
    let own = own.as_str().expect("a subject");
    let asking_for = |sub: &str| json!({"id_token": {"sub": {"value": sub}}}).to_string();
    for (parameter, value, expected) in [
        ("id_token_hint", of_alice.id_token.clone(), ""),
        ("id_token_hint", of_bob.id_token.clone(), "login_required"),
        ("claims", asking_for(own), ""),
        ("claims", asking_for(&public), "login_required"),
    ] {
        let request = shop.request("openid").with("prompt", "none");
        let request = request.with(parameter, &value);
        let away = browser.open(&request.url()).await.away();
        assert_eq!(away.error(), expected, "{parameter} {value}");
    }
    let pushed = shop
        .request("openid")
        .with("id_token_hint", &of_alice.id_token);
    let parameters = pushed.parameters.iter();
    let parameters: Vec<_> = parameters
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let answer = shop.post("/oauth2/par", &parameters).await;
    assert_eq!(answer.status, 201, "{}", answer.text);

    let logout = |hint: &str| {
        let mut url = server.url("/oauth2/logout");
        url.query_pairs_mut().append_pair("id_token_hint", hint);
        url
    };
    // Of an older session of hers: the name says that it is she.
    let older = shop.sign_in(alice, "openid").await;
    let page = browser.open(&logout(&of_bob.id_token)).await.page();
    page.form("logout-confirm");
    let page = browser.open(&logout(&older.id_token)).await.page();
    assert!(page.document().text.contains("You are signed out"));
}

/// Back-Channel Logout 1.0 section 2.4.
#[tokio::test]
async fn a_logout_token_has_the_name_that_its_client_knows() {
    let (sender, mut tokens) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::http(move |request, stream| {
        let token = request.rsplit("logout_token=").next().unwrap_or_default();
        let _ = sender.send(token.to_owned());
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    });
    let server = calling(&peer);
    let told = json!({"backchannel_logout_uri": peer.url("/logout")});
    let shop = add(&server, "shop", "https://shop.test/callback", &told);
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let id_token = shop
        .sign_in_with(&mut browser, alice, "openid")
        .await
        .id_token;
    let mut url = server.url("/oauth2/logout");
    url.query_pairs_mut()
        .append_pair("id_token_hint", &id_token);
    browser.open(&url).await;
    let logout_token = tokens.recv().await.expect("a logout token");
    let told = jwt::claims(&logout_token);
    assert_eq!(told["sub"], jwt::claims(&id_token)["sub"]);
    assert!(!told.to_string().contains(&public_subject(&server, "alice")));
}

/// RFC 8693: who exchanges a token is told what it calls the person, and nobody else's name.
#[tokio::test]
async fn an_exchanged_token_has_the_name_of_its_new_holders_sector() {
    let server = Server::serve();
    let shop = add(&server, "shop", "https://shop.test/callback", &json!({}));
    let exchanging = json!({
        "grant_types": ["authorization_code", EXCHANGE],
        "token_exchange": {"subject_clients": ["shop"], "impersonation": true},
    });
    let bank = add(&server, "bank", "https://bank.test/callback", &exchanging);
    let alice = server.user("alice");
    let at_shop = shop.sign_in(alice, SCOPE).await;
    let at_bank = bank.sign_in(alice, "openid").await;
    let parameters = [
        ("grant_type", EXCHANGE),
        ("subject_token", &*at_shop.access_token),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("scope", "openid"),
    ];
    let exchanged = bank.token(&parameters).await.tokens();
    let own = jwt::claims(&at_bank.id_token)["sub"].clone();
    assert_eq!(jwt::claims(&exchanged.access_token)["sub"], own);
    let told = bank.introspect(&exchanged.access_token).await;
    assert_eq!(told.json["sub"], own, "{}", told.text);
    assert_eq!(told.json["username"], Value::Null);
}

/// OIDC Registration section 5; S89; the suite's `registration-sector-uri` and `-sector-bad`.
#[tokio::test]
async fn a_sector_is_believed_when_its_host_lists_every_redirect_uri() {
    let uris = [
        "https://a.test/cb",
        "https://b.test/cb",
        "com.example.app:/cb",
    ];
    let peer = Peer::http(move |request, stream| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let content = match path {
            "/all" => json!(uris),
            "/more" => json!([uris.as_slice(), &["https://c.test/cb"]].concat()),
            "/some" => json!(uris[..2]),
            "/object" => json!({ "redirect_uris": uris }),
            "/numbers" => json!([1, 2]),
            "/long" => json!(vec![uris[0]; 10_000]),
            _ => json!(null),
        };
        write_json(stream, "", &content.to_string());
    });
    let server = calling(&peer);
    let described = |path: &str| {
        json!({
            "subject_type": "pairwise",
            "application_type": "native",
            "redirect_uris": uris,
            "sector_identifier_uri": peer.url(path),
        })
    };
    for path in ["/all", "/more"] {
        let answer = register(&server, None, &described(path)).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        assert_eq!(answer.member("subject_type"), "pairwise");
        assert_eq!(answer.member("sector_identifier_uri"), peer.url(path));
    }
    let file = server.directory().join("client.json");
    let file = file.to_string_lossy();
    let add = ["client", "add", "--metadata", &*file, "--json"];
    let refused = async |described: Value| {
        let answer = register(&server, None, &described).await;
        assert_eq!(answer.status, 400, "{described}: {}", answer.text);
        assert_eq!(answer.member("error"), "invalid_client_metadata");
        let description = answer.member("error_description");
        assert!(
            description.starts_with("sector_identifier_uri"),
            "{description}"
        );
        // An operator makes the same mistakes.
        std::fs::write(&*file, described.to_string()).expect("a file");
        let output = server.run(&add, "");
        assert_eq!(output.status.code(), Some(5), "{described}");
    };
    for path in ["/some", "/object", "/numbers", "/long", "/null"] {
        refused(described(path)).await;
        // Whoever names a sector is in it, whether it uses the name yet or not.
        let mut public = described(path);
        public["subject_type"] = json!("public");
        refused(public).await;
    }
    let mut without = described("/all");
    without["sector_identifier_uri"] = json!(null);
    refused(without).await;
    for uri in [
        "https://127.0.0.1/uris.json",
        "http://rp.test/uris.json",
        "https://169.254.169.254/latest/meta-data",
    ] {
        let mut inward = described("/all");
        inward["sector_identifier_uri"] = json!(uri);
        refused(inward).await;
    }
    std::fs::write(&*file, described("/all").to_string()).expect("a file");
    let added = server.operate(&add, "");
    assert_eq!(added["subject_type"], "pairwise");
}

/// OIDC Registration section 5: the names do not hang on which of the sector's clients asks.
#[tokio::test]
async fn clients_on_several_hosts_share_the_names_of_their_sector() {
    let uris = ["https://a.test/callback", "https://b.test/callback"];
    let peer = Peer::serving(move || json!(uris).to_string());
    let server = calling(&peer);
    let sector = json!({"sector_identifier_uri": peer.url("/uris.json")});
    let one = add(&server, "one", uris[0], &sector);
    let other = add(&server, "other", uris[1], &sector);
    let alone = add(&server, "alone", uris[1], &json!({}));
    let alice = server.user("alice");
    let mut subjects = Vec::new();
    for party in [&one, &other, &alone] {
        let tokens = party.sign_in(alice, "openid").await;
        subjects.push(jwt::claims(&tokens.id_token)["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
}

/// `keyfob serve` that lets everybody register and may call this peer.
fn calling(peer: &Peer) -> Server {
    let host = format!("localhost:{}", peer.port());
    Launch::serve()
        .variable("KEYFOB_OUTBOUND__ALLOW", &host)
        .variable("KEYFOB_REGISTRATION__MODE", "open")
        .start()
}
