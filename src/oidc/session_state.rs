//! `session_state`, by which a relying party watches a session ([Session Management section 3.2]).
//!
//! `static/check_session.js` makes the same of the same; a change here is one there.
//!
//! [Session Management section 3.2]: https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use url::Url;

use super::client::ClientId;

/// The `session_state` of an answer to `client_id` at `redirect_uri`, in a browser of this state.
/// None if the redirect URI is not a web page's: nothing there could ask.
#[must_use]
pub fn session_state(
    client_id: &ClientId,
    redirect_uri: &str,
    browser_state: &str,
    salt: &str,
) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let digest = Sha256::digest(format!("{client_id} {origin} {browser_state} {salt}"));
    let mut text = String::with_capacity(2 * digest.len() + 1 + salt.len());
    for byte in digest {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('.');
    text.push_str(salt);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_state_depends_on_client_origin_browser_and_salt() {
        let state = |client_id: &str, redirect_uri: &str, browser: &str, salt: &str| {
            session_state(&client_id.parse().unwrap(), redirect_uri, browser, salt)
        };
        let one = state("app", "https://rp.test/cb?x=1", "state", "salt").unwrap();
        // printf 'app https://rp.test state salt' | sha256sum
        assert_eq!(
            one,
            "2de6f6c6d3a91d397826eca63c474e4287e7ffbae84818ece04dc16c47e56a2f.salt"
        );
        assert_eq!(
            state("app", "https://rp.test:443/other", "state", "salt"),
            Some(one.clone())
        );
        for other in [
            state("other", "https://rp.test/cb", "state", "salt"),
            state("app", "https://rp.test:8443/cb", "state", "salt"),
            state("app", "https://rp.test/cb", "other", "salt"),
            state("app", "https://rp.test/cb", "", "salt"),
            state("app", "https://rp.test/cb", "state", "other"),
        ] {
            assert_ne!(other.unwrap(), one);
        }
        assert_eq!(state("app", "com.example.app:/cb", "state", "salt"), None);
    }
}
