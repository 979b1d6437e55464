//! Devices that somebody connected in a session: their client learns of its end like any other.

use serde_json::json;

use super::logout;
use crate::device::{Device, allow};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::Peer;
use crate::support::relying_party::{Authentication, RelyingParty};

/// Back-Channel Logout 1.0 section 2.5: to the clients that the session was used for.
#[tokio::test]
async fn the_client_of_a_device_is_told_when_the_session_ends_that_it_was_connected_in() {
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::http(move |request, stream| {
        let _ = sender.send(request.to_owned());
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    });
    let host = format!("localhost:{}", peer.port());
    let launch = Launch::serve().variable("KEYFOB_OUTBOUND__ALLOW", &host);
    let server = launch.start();
    let metadata = json!({
        "client_id": "television",
        "token_endpoint_auth_method": "none",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": [],
        "redirect_uris": [],
        "backchannel_logout_uri": peer.url("/logout"),
    });
    let party = RelyingParty::added(&server, &metadata).authenticating(Authentication::None);
    let device = Device::ask_as(party, "openid").await;
    let mut browser = allow(&server, &device).await;
    let tokens = device.poll().await.tokens();

    let url = logout(&server, &[("id_token_hint", &tokens.id_token)]);
    let page = browser.open(&url).await.page();
    assert!(page.document().text.contains("You are signed out"));
    let request = requests.recv().await.expect("a logout token");
    let logout_token = request.rsplit("logout_token=").next().unwrap_or_default();
    let (told, badge) = (jwt::claims(logout_token), jwt::claims(&tokens.id_token));
    assert_eq!((&told["sid"], &told["aud"]), (&badge["sid"], &badge["aud"]));
}
