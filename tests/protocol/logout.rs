//! Logout beyond the request for it: which clients are told and how, and which tokens end.

mod backchannel;
mod devices;
mod frontchannel;
mod grants;
mod rp_initiated;
mod session_management;

use serde_json::{Value, json};
use url::Url;

use crate::support::browser::Browser;
use crate::support::process::Server;
use crate::support::relying_party::{Authentication, RelyingParty, http_client};

/// Registers a client with these members beside what every one here has, and makes a relying party
/// of it.
fn register(server: &Server, client_id: &str, members: &Value) -> RelyingParty {
    let mut metadata = json!({
        "client_id": client_id,
        "client_secret": "kfs_a-secret-that-no-other-test-uses-0123456789",
        "redirect_uris": ["http://localhost/cb"],
        "post_logout_redirect_uris": ["https://rp.test/bye"],
        "skip_consent": true,
    });
    let own = metadata.as_object_mut().expect("an object");
    own.extend(members.as_object().expect("an object").clone());
    server.add_client(&metadata);
    RelyingParty {
        issuer: server.issuer().to_owned(),
        client_id: client_id.to_owned(),
        client_secret: metadata["client_secret"].as_str().map(str::to_owned),
        redirect_uri: "http://localhost/cb".to_owned(),
        authentication: Authentication::Basic,
        http: http_client(),
    }
}

/// The URL of a logout request with these parameters.
fn logout(server: &Server, parameters: &[(&str, &str)]) -> Url {
    let mut url = server.url("/oauth2/logout");
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

/// Whether somebody is signed in in `browser`.
async fn is_signed_in(browser: &mut Browser, party: &RelyingParty) -> bool {
    let request = party.request("openid").with("prompt", "none");
    let away = browser.open(&request.url()).await.away();
    away.error().is_empty()
}
