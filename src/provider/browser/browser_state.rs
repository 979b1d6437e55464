//! The state of a browser that relying parties watch ([Session Management section 2]).
//!
//! It is another with each sign-in, since the session's cookie is. Nothing of it is stored, and it
//! does not lead back to the cookie.
//!
//! [Session Management section 2]: https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oidc::secret::Secret;
use crate::oidc::session_state::session_state;
use crate::provider::Provider;

use super::Browser;
use super::authorization::Pending;

impl Provider {
    /// The state of a browser that has this session; none where sessions are not watched.
    #[must_use]
    pub fn browser_state(&self, session: &Secret) -> Option<String> {
        self.policy.logout.session_management.then(|| {
            let tag = self.browser_state_key.tag(&[session.expose().as_bytes()]);
            URL_SAFE_NO_PAD.encode(tag)
        })
    }

    /// The parameter `session_state` of an answer to `pending`, where sessions are watched.
    pub(super) fn session_state(
        &self,
        browser: &Browser,
        pending: &Pending,
    ) -> Option<(&'static str, String)> {
        let state = self.browser_state(browser.session.as_ref()?)?;
        let salt = URL_SAFE_NO_PAD.encode(self.random.bytes::<16>());
        let redirect_uri = pending.return_address.redirect_uri();
        let session_state = session_state(&pending.client.id, redirect_uri, &state, &salt)?;
        Some(("session_state", session_state))
    }
}
