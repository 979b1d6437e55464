//! Forms: each carries a tag that only the browser it was shown in can send back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oidc::secret::{Secret, SecretKind};
use crate::provider::Provider;

use super::Browser;

/// A browser that can be shown a form: the cookie that binds it, and whether it is new.
#[derive(Debug)]
pub struct Binding {
    /// The cookie.
    pub secret: Secret,
    /// Whether the browser does not have it yet.
    pub is_new: bool,
}

impl Provider {
    /// The binding of `browser`, made if there is none.
    #[must_use]
    pub fn binding(&self, browser: &Browser) -> Binding {
        let sent = browser.binding.as_ref();
        match sent.and_then(|sent| Secret::parse(SecretKind::Browser, sent.expose())) {
            Some(secret) => Binding {
                secret,
                is_new: false,
            },
            None => Binding {
                secret: self.random.secret(SecretKind::Browser),
                is_new: true,
            },
        }
    }

    /// The tag of a form that is shown in the browser that `binding` binds.
    #[must_use]
    pub fn form_tag(&self, binding: &Secret) -> String {
        let tag = self.form_key.tag(&[binding.expose().as_bytes()]);
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether a form that came back from `browser` was shown in it.
    #[must_use]
    pub fn is_own_form(&self, browser: &Browser, tag: &str) -> bool {
        let Some(binding) = &browser.binding else {
            return false;
        };
        let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else {
            return false;
        };
        self.form_key.verify(&[binding.expose().as_bytes()], &tag)
    }
}
