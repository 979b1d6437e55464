//! What a new password must be like: long enough, not a common one, not the user's own name.
//! Nothing else: no classes of characters, no expiry (NIST SP 800-63B section 5.1.1.2).

use zxcvbn::zxcvbn;

use crate::oidc::password::Password;
use crate::oidc::policy::PasswordPolicy;

/// Why a password is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PasswordRuleError {
    /// Fewer characters than the policy asks for.
    #[error("a password must have at least {0} characters")]
    TooShort(usize),
    /// More than 1024 bytes.
    #[error("a password must not be longer than 1024 bytes")]
    TooLong,
    /// Has characters that no keyboard types, such as control characters.
    #[error("a password must not have control characters")]
    Characters,
    /// Contains the user's name or is made of it.
    #[error("a password must not contain the user name")]
    ContainsUsername,
    /// One of those that are tried first.
    #[error("this password is among the first that anybody would try")]
    Common,
}

/// Reads a new password for the user called `username`.
pub fn new_password(
    typed: &str,
    username: &str,
    policy: &PasswordPolicy,
) -> Result<Password, PasswordRuleError> {
    if typed.len() > Password::LONGEST {
        return Err(PasswordRuleError::TooLong);
    }
    if typed.chars().count() < policy.minimum_length {
        return Err(PasswordRuleError::TooShort(policy.minimum_length));
    }
    let password = Password::prepare(typed).ok_or(PasswordRuleError::Characters)?;
    let prepared = password.expose();
    let is_named =
        username.chars().count() >= 3 && prepared.to_lowercase().contains(&username.to_lowercase());
    if is_named {
        return Err(PasswordRuleError::ContainsUsername);
    }
    let beginning: String = prepared.chars().take(100).collect();
    if zxcvbn(&beginning, &[username]).guesses() < FEWEST_GUESSES {
        return Err(PasswordRuleError::Common);
    }
    Ok(password)
}

/// What the three thousand commonest passwords and their obvious variations stay below.
const FEWEST_GUESSES: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_named_passwords_are_refused() {
        let policy = PasswordPolicy::default();
        for (typed, expected) in [
            ("1234567", Err(PasswordRuleError::TooShort(8))),
            ("password", Err(PasswordRuleError::Common)),
            ("Password1", Err(PasswordRuleError::Common)),
            ("12345678", Err(PasswordRuleError::Common)),
            ("qwertyuiop", Err(PasswordRuleError::Common)),
            ("my-ALICE-secret", Err(PasswordRuleError::ContainsUsername)),
            ("tab\tseparated", Err(PasswordRuleError::Characters)),
            ("a strange teapot", Ok(())),
            ("пароль длинный", Ok(())),
        ] {
            let actual = new_password(typed, "alice", &policy).map(drop);
            assert_eq!(actual, expected, "{typed}");
        }
        let long = "é teapot".repeat(16);
        let accepted = new_password(&long, "alice", &policy).unwrap();
        assert_eq!(accepted.expose(), long);
        assert!(new_password(&"x".repeat(2000), "alice", &policy).is_err());
    }
}
