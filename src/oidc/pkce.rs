//! Proof Key for Code Exchange ([RFC 7636]), S256 only.
//!
//! [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// An S256 code challenge ([RFC 7636 section 4.2]): the base64url text of 32 bytes.
///
/// [RFC 7636 section 4.2]: https://www.rfc-editor.org/rfc/rfc7636#section-4.2
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CodeChallenge(String);

/// A text that is not an S256 code challenge.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an S256 code challenge is 43 characters of base64url without padding")]
pub struct CodeChallengeError;

impl CodeChallenge {
    /// The challenge as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one this challenge was made of ([RFC 7636 section 4.6]). One that
    /// is not of the form of [RFC 7636 section 4.1] never is.
    ///
    /// [RFC 7636 section 4.1]: https://www.rfc-editor.org/rfc/rfc7636#section-4.1
    /// [RFC 7636 section 4.6]: https://www.rfc-editor.org/rfc/rfc7636#section-4.6
    #[must_use]
    pub fn is_answered_by(&self, verifier: &str) -> bool {
        let is_unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let is_verifier =
            (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
        let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let is_equal: bool = computed.as_bytes().ct_eq(self.0.as_bytes()).into();
        is_verifier && is_equal
    }
}

impl std::str::FromStr for CodeChallenge {
    type Err = CodeChallengeError;

    fn from_str(text: &str) -> Result<Self, CodeChallengeError> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(CodeChallengeError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_is_answered() {
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        assert!(challenge.is_answered_by(VERIFIER));
        assert!(!challenge.is_answered_by(&VERIFIER.replace('d', "e")));
    }

    #[test]
    fn a_verifier_of_the_wrong_form_answers_nothing() {
        for (verifier, expected) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("-._~".repeat(32), true),
            ("a".repeat(129), false),
            ("+".repeat(43), false),
            (String::new(), false),
        ] {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            let challenge: CodeChallenge = hash.parse().unwrap();
            assert_eq!(challenge.is_answered_by(&verifier), expected, "{verifier}");
        }
    }

    #[test]
    fn only_43_characters_of_base64url_are_a_challenge() {
        for text in [
            "",
            "plain",
            &CHALLENGE[..42],
            &format!("{CHALLENGE}="),
            &"A".repeat(44),
        ] {
            assert!(text.parse::<CodeChallenge>().is_err(), "{text}");
        }
    }
}
