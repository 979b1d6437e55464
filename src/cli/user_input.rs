//! What `keyfob user add` was given, as values.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::exit::{CliError, Exit};
use super::input::{Source, kind, read_object};
use super::password;
use super::user::AddUser;
use crate::oidc::user::{EmailKey, StandardClaims, Username};

/// A user as the operator described it.
#[derive(Debug)]
pub struct DescribedUser {
    /// The name to sign in with.
    pub username: Username,
    /// What is known of the person.
    pub claims: StandardClaims,
    /// The groups.
    pub groups: Vec<String>,
    /// The password, if there is to be one.
    pub password: Option<Zeroizing<String>>,
}

/// Reads the claims and the password that `arguments` name.
///
/// # Errors
///
/// What is wrong with which of them.
pub fn read(arguments: &AddUser) -> Result<DescribedUser, CliError> {
    let invalid = |message: String| CliError::new(Exit::Invalid, message);
    let username: Username = arguments
        .username
        .parse()
        .map_err(|error| invalid(format!("{:?}: {error}", arguments.username)))?;
    let file = arguments.claims.clone().map(Source::from);
    if file.as_ref().is_some_and(Source::is_stdin) && !arguments.no_password {
        let message = "standard input cannot be both the claims and the password: \
                       name a file for --claims, or add --no-password";
        return Err(CliError::new(Exit::Usage, message));
    }
    let object = match &file {
        Some(file) => match file.read_json()? {
            Value::Object(object) => object,
            other => {
                let message = format!("{} is {} and not an object", file.name(), kind(&other));
                return Err(invalid(message));
            }
        },
        None => Map::new(),
    };
    let name = file.map_or_else(String::new, |file| file.name());
    let claims = claims(&name, &object, arguments)?;
    let password = if arguments.no_password {
        None
    } else {
        Some(password::ask(arguments.password_stdin, username.as_str())?)
    };
    Ok(DescribedUser {
        username,
        claims,
        groups: arguments.groups.clone(),
        password,
    })
}

/// The claims of `object`, which was read from the file `name`, and of the command line over them.
fn claims(
    name: &str,
    object: &Map<String, Value>,
    arguments: &AddUser,
) -> Result<StandardClaims, CliError> {
    let invalid = |message: String| CliError::new(Exit::Invalid, message);
    let (mut claims, unknown): (StandardClaims, _) = read_object(name, object)?;
    if let Some(claim) = unknown.first() {
        let why = match claim.as_str() {
            "sub" => "is given by Keyfob and never chosen",
            "updated_at" => "is kept by Keyfob",
            "groups" => "is set with --group",
            _ => "is not a standard claim (OIDC Core section 5.1)",
        };
        return Err(invalid(format!("{name}: {claim} {why}")));
    }
    for (given, claim) in [
        (&arguments.email, &mut claims.email),
        (&arguments.name, &mut claims.name),
    ] {
        if given.is_some() {
            claim.clone_from(given);
        }
    }
    if let Some(email) = &claims.email
        && EmailKey::of(email).is_none()
    {
        return Err(invalid(format!("{email:?} is not an e-mail address")));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_claims(json: &Value, arguments: &AddUser) -> Result<StandardClaims, String> {
        let object = json.as_object().unwrap();
        claims("alice.json", object, arguments).map_err(|error| {
            assert_eq!(error.exit, Exit::Invalid);
            error.message
        })
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let arguments = AddUser {
            name: Some("Alice Example".to_owned()),
            ..AddUser::default()
        };
        let claims = read_claims(
            &json!({"name": "A.", "email": "a@b.example", "email_verified": true, "gender": null,
                    "address": {"country": "NO"}}),
            &arguments,
        );
        let claims = claims.unwrap();
        assert_eq!(claims.name.as_deref(), Some("Alice Example"));
        assert_eq!(claims.email.as_deref(), Some("a@b.example"));
        assert_eq!(claims.email_verified, Some(true));
        assert_eq!(claims.address.unwrap().country.as_deref(), Some("NO"));
    }

    #[test]
    fn a_claim_that_would_be_lost_or_is_wrong_is_named() {
        for (json, expected) in [
            (json!({"sub": "1"}), "sub is given by Keyfob"),
            (json!({"groups": ["a"]}), "set with --group"),
            (
                json!({"nick_name": "Al"}),
                "nick_name is not a standard claim",
            ),
            (
                json!({"email": "alice"}),
                "\"alice\" is not an e-mail address",
            ),
            (
                json!({"name": "A", "email_verified": "true"}),
                "alice.json: email_verified: ",
            ),
        ] {
            let message = read_claims(&json, &AddUser::default()).unwrap_err();
            assert!(message.contains(expected), "{json}: {message}");
        }
    }
}
