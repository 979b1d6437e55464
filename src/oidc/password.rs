//! Passwords, in the one form in which they are hashed and compared.
//!
//! **Invariant:** a [`Password`] is shown to nobody, and wiped from memory when it is dropped.

use std::fmt;

use precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::OpaqueString;
use zeroize::Zeroizing;

/// What somebody typed as a password, prepared: the same characters from any keyboard
/// ([RFC 8265 section 4.2]).
///
/// [RFC 8265 section 4.2]: https://www.rfc-editor.org/rfc/rfc8265#section-4.2
pub struct Password(Zeroizing<String>);

impl Password {
    /// The most bytes that one may have as typed.
    pub const LONGEST: usize = 1024;

    /// Prepares what was typed; `None` if no password can be so: empty, too long, or with control
    /// characters.
    #[must_use]
    pub fn prepare(typed: &str) -> Option<Self> {
        if typed.len() > Self::LONGEST {
            return None;
        }
        let prepared = OpaqueString::enforce(typed).ok()?;
        Some(Self(Zeroizing::new(prepared.into_owned())))
    }

    /// The prepared text, to be hashed or judged.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_same_from_any_keyboard() {
        let long = "x".repeat(Password::LONGEST);
        for (typed, expected) in [
            ("correct horse", Some("correct horse")),
            ("Upper lower", Some("Upper lower")),
            // RFC 8265 section 4.2.2: other spaces become plain ones, and NFC joins accents.
            ("correct\u{a0}horse", Some("correct horse")),
            ("e\u{301}te\u{301}", Some("été")),
            (&long, Some(&long)),
            (&format!("{long}x"), None),
            ("tab\tseparated", None),
            ("", None),
        ] {
            let password = Password::prepare(typed);
            let actual = password.as_ref().map(Password::expose);
            assert_eq!(actual, expected, "{typed:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::prepare("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
