//! Which grants end with a session, as it is configured.

use serde_json::json;

use super::{logout, register};
use crate::support::browser::Browser;
use crate::support::launch::Launch;

/// Back-Channel Logout 1.0 section 2.7; ecosystem: other devices stay signed in.
#[tokio::test]
async fn what_ends_with_a_session_is_configured_and_never_another_session() {
    for (ends, online_lives, offline_lives) in [
        (None, false, true),
        (Some("nothing"), true, true),
        (Some("online"), false, true),
        (Some("all"), false, false),
    ] {
        let mut launch = Launch::serve();
        if let Some(ends) = ends {
            launch = launch.variable("KEYFOB_LOGOUT__ENDS", ends);
        }
        let server = launch.start();
        let alice = server.user("alice");
        let party = register(&server, "shop", &json!({"refresh_tokens": "always"}));
        let mut browser = Browser::new(server.issuer());
        let online = party.sign_in_with(&mut browser, alice, "openid").await;
        let offline = "openid offline_access";
        let offline = party.sign_in_with(&mut browser, alice, offline).await;
        let phone = party.sign_in(alice, "openid").await;

        let url = logout(&server, &[("id_token_hint", &online.id_token)]);
        browser.open(&url).await.page();
        for (tokens, lives) in [
            (&online, online_lives),
            (&offline, offline_lives),
            (&phone, true),
        ] {
            let userinfo = party.userinfo(&tokens.access_token).await.status;
            let refresh = party.refresh(&tokens.refresh_token).await.status;
            let expected = if lives { [200, 200] } else { [401, 400] };
            let actual = [userinfo.as_u16(), refresh.as_u16()];
            assert_eq!(actual, expected, "{ends:?}");
        }
    }
}
