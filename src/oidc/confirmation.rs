//! What whoever uses a token must hold beside it ([RFC 7800 section 3], [RFC 9449 section 6.1],
//! [RFC 8705 section 3.1]).
//!
//! [RFC 7800 section 3]: https://www.rfc-editor.org/rfc/rfc7800#section-3
//! [RFC 8705 section 3.1]: https://www.rfc-editor.org/rfc/rfc8705#section-3.1
//! [RFC 9449 section 6.1]: https://www.rfc-editor.org/rfc/rfc9449#section-6.1

use serde::{Deserialize, Serialize};

/// The claim `cnf`: the keys that a token is bound to. A token with none is a bearer token.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Confirmation {
    /// The RFC 7638 thumbprint of the key that signs DPoP proofs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// The SHA-256 thumbprint of the certificate that the client shows, in base64url.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl Confirmation {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The value of `token_type` for a token that is bound so ([RFC 9449 section 5]). A
    /// certificate changes nothing about how a token is sent.
    ///
    /// [RFC 9449 section 5]: https://www.rfc-editor.org/rfc/rfc9449#section-5
    #[must_use]
    pub fn token_type(&self) -> &'static str {
        if self.jkt.is_some() { "DPoP" } else { "Bearer" }
    }

    /// Whether `shown` has every key that this asks for.
    #[must_use]
    pub fn is_met_by(&self, shown: &Self) -> bool {
        let is_met =
            |wanted: &Option<String>, shown: &Option<String>| wanted.is_none() || wanted == shown;
        is_met(&self.jkt, &shown.jkt) && is_met(&self.x5t_s256, &shown.x5t_s256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_asked_for_must_be_shown() {
        let keys = |jkt: &str, certificate: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Confirmation {
                jkt: some(jkt),
                x5t_s256: some(certificate),
            }
        };
        for (asked, shown, is_met) in [
            (keys("", ""), keys("", ""), true),
            (keys("", ""), keys("a", "b"), true),
            (keys("a", ""), keys("a", ""), true),
            (keys("a", ""), keys("a", "b"), true),
            (keys("a", ""), keys("", ""), false),
            (keys("a", ""), keys("b", ""), false),
            (keys("a", ""), keys("", "a"), false),
            (keys("a", "b"), keys("a", "b"), true),
            (keys("a", "b"), keys("a", ""), false),
            (keys("a", "b"), keys("a", "c"), false),
        ] {
            assert_eq!(asked.is_met_by(&shown), is_met, "{asked:?} {shown:?}");
        }
    }
}
