//! RP-Initiated Logout 1.0: the parameters that are optional, and nothing beside `state` on the way
//! back.

use serde_json::json;

use super::{is_signed_in, logout, register};
use crate::support::browser::Browser;
use crate::support::process::Server;

/// RP-Initiated Logout 1.0 sections 2 and 3; the conformance suite warns of other parameters.
#[tokio::test]
async fn optional_and_unknown_parameters_are_accepted_and_never_sent_on() {
    let server = Server::serve();
    let party = register(&server, "shop", &json!({}));
    let alice = server.user("alice");
    for (more, expected) in [
        (&[][..], "https://rp.test/bye"),
        (&[("state", "x")], "https://rp.test/bye?state=x"),
        (
            &[
                ("logout_hint", "alice@example.com"),
                ("ui_locales", "de fr"),
                ("client_id", "shop"),
                ("unknown", "value"),
            ],
            "https://rp.test/bye",
        ),
    ] {
        let mut browser = Browser::new(server.issuer());
        let tokens = party.sign_in_with(&mut browser, alice, "openid").await;
        let mut parameters = vec![
            ("id_token_hint", &*tokens.id_token),
            ("post_logout_redirect_uri", "https://rp.test/bye"),
        ];
        parameters.extend_from_slice(more);
        let away = browser.open(&logout(&server, &parameters)).await.away();
        assert_eq!(away.url.as_str(), expected);
        assert!(!is_signed_in(&mut browser, &party).await);
    }
}

/// The conformance suite's `no-params` and `only-state`.
#[tokio::test]
async fn who_says_no_more_than_that_is_asked_and_then_told() {
    let server = Server::serve();
    let party = register(&server, "shop", &json!({}));
    let alice = server.user("alice");
    for parameters in [&[][..], &[("state", "x")], &[("logout_hint", "alice")]] {
        let mut browser = Browser::new(server.issuer());
        party.sign_in_with(&mut browser, alice, "openid").await;
        let page = browser.open(&logout(&server, parameters)).await.page();
        let form = page.form("logout-confirm").press("logout-confirm");
        let page = browser.submit(&page, &form).await.page();
        assert_eq!(page.status, 200);
        assert!(page.document().text.contains("You are signed out"));
        assert!(!is_signed_in(&mut browser, &party).await);
        // Who is not signed in is told the same.
        let page = browser.open(&logout(&server, parameters)).await.page();
        assert!(page.document().text.contains("You are signed out"));
    }
}
