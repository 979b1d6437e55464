//! `keyfob user`: the people who sign in.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::{CliError, after_help};
use super::operator::work;
use super::output::{Output, instant, properties, table};
use super::password;
use super::user_input;
use crate::config::Config;
use crate::oidc::user::User;
use crate::provider::operator::users::NewUser;

/// The commands of `keyfob user`.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Makes a user; asks for the password
    #[command(after_help = after_help(
        "  keyfob user add alice --email alice@example.com --name 'Alice Example' --group staff\n  \
         pass show alice | keyfob user add alice --password-stdin\n  \
         keyfob user add alice --claims alice.json --no-password\n  \
         echo '{\"name\": \"Alice\", \"locale\": \"en\"}' | keyfob user add alice --claims - --no-password",
    ))]
    Add(AddUser),
    /// Lists the users
    #[command(after_help = after_help(
        "  keyfob user list\n  \
         keyfob user list --json | jq -r '.users[].username'",
    ))]
    List,
    /// Shows one user
    #[command(after_help = after_help("  keyfob user show alice\n  keyfob user show alice --json"))]
    Show(NamedUser),
    /// Gives a user a new password, and asks for it
    #[command(after_help = after_help(
        "  keyfob user set-password alice\n  \
         pass show alice | keyfob user set-password alice --password-stdin",
    ))]
    SetPassword(SetPassword),
    /// Ends what a user has, sessions and tokens, and tells the applications; they may sign in again
    #[command(after_help = after_help("  keyfob user sign-out alice"))]
    SignOut(NamedUser),
    /// Keeps a user from signing in, and ends what the user has: sessions and tokens
    #[command(after_help = after_help("  keyfob user disable alice"))]
    Disable(NamedUser),
    /// Lets a disabled user sign in again
    #[command(after_help = after_help("  keyfob user enable alice"))]
    Enable(NamedUser),
    /// Deletes a user and all that is kept of the user
    #[command(after_help = after_help("  keyfob user delete alice"))]
    Delete(NamedUser),
}

/// Which user.
#[derive(Args, Clone, Debug)]
pub struct NamedUser {
    /// The user name or the subject identifier
    #[arg(value_name = "USER")]
    pub user: String,
}

/// The arguments of `keyfob user set-password`.
#[derive(Args, Clone, Debug)]
pub struct SetPassword {
    /// The user name or the subject identifier
    #[arg(value_name = "USER")]
    pub user: String,
    /// Read the password from the first line of standard input, even at a terminal
    #[arg(long)]
    pub password_stdin: bool,
}

/// The arguments of `keyfob user add`.
#[derive(Args, Clone, Debug, Default)]
pub struct AddUser {
    /// The name to sign in with
    #[arg(value_name = "NAME")]
    pub username: String,
    /// The e-mail address, with which one can sign in too
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// The full name
    #[arg(long, value_name = "FULL NAME")]
    pub name: Option<String>,
    /// A group to be a member of; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// A JSON object of standard claims, by OIDC's names; - for standard input
    #[arg(long, value_name = "FILE")]
    pub claims: Option<PathBuf>,
    /// Read the password from the first line of standard input, even at a terminal
    #[arg(long, conflicts_with = "no_password")]
    pub password_stdin: bool,
    /// Make a user who cannot sign in with a password
    #[arg(long)]
    pub no_password: bool,
}

/// Carries out `command`.
///
/// # Errors
///
/// What was given is wrong, nobody is called that, or the database is not right.
pub async fn run(
    command: UserCommand,
    config: &Config,
    output: &mut Output<impl Write>,
) -> Result<(), CliError> {
    // What is typed is read before the database is opened: a person takes a while.
    let (user, did) = match command {
        UserCommand::Add(arguments) => {
            let described = user_input::read(&arguments)?;
            let new = NewUser {
                username: described.username.to_string(),
                claims: described.claims,
                groups: described.groups,
                password: described.password,
            };
            let made = work(config, async |operator| Ok(operator.add_user(new).await?));
            (made.await?, "made")
        }
        UserCommand::SetPassword(SetPassword {
            user,
            password_stdin,
        }) => {
            let password = password::ask(password_stdin, &user)?;
            let set = work(config, async |operator| {
                Ok(operator.set_password(&user, &password).await?)
            });
            (
                set.await?,
                "given a new password, and signed out everywhere",
            )
        }
        UserCommand::SignOut(NamedUser { user }) => {
            let signed_out = work(config, async |it| Ok(it.sign_out_user(&user).await?));
            (signed_out.await?, "signed out everywhere")
        }
        UserCommand::Disable(NamedUser { user }) => {
            let disabled = work(config, async |it| Ok(it.disable_user(&user).await?));
            (disabled.await?, "disabled, and signed out everywhere")
        }
        UserCommand::Enable(NamedUser { user }) => {
            let enabled = work(config, async |it| Ok(it.enable_user(&user).await?));
            (enabled.await?, "enabled")
        }
        UserCommand::Delete(NamedUser { user }) => {
            let deleted = work(config, async |it| Ok(it.delete_user(&user).await?));
            (deleted.await?, "deleted")
        }
        UserCommand::List => {
            let users = work(config, async |it| Ok(it.users().await?)).await?;
            output.write(&list_to_json(&users), || list_to_text(&users))?;
            return Ok(());
        }
        UserCommand::Show(NamedUser { user }) => {
            let user = work(config, async |it| Ok(it.user(&user).await?)).await?;
            output.write(&to_json(&user), || to_text(&user))?;
            return Ok(());
        }
    };
    output.write(&to_json(&user), || format!("{} is {did}.", user.username))?;
    Ok(())
}

/// A user for scripts.
fn to_json(user: &User) -> Value {
    json!({
        "sub": user.id.to_string(),
        "username": user.username.as_str(),
        "enabled": user.is_enabled(),
        "has_password": user.password.is_some(),
        "claims": user.claims,
        "groups": user.groups,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "disabled_at": user.disabled_at,
    })
}

/// Users for scripts.
fn list_to_json(users: &[User]) -> Value {
    json!({ "users": users.iter().map(to_json).collect::<Vec<_>>() })
}

/// Users for people.
fn list_to_text(users: &[User]) -> String {
    if users.is_empty() {
        return "There are no users. Make one with: keyfob user add NAME".to_owned();
    }
    let rows = users.iter().map(|user| {
        [
            user.username.to_string(),
            user.claims.name.clone().unwrap_or_default(),
            user.claims.email.clone().unwrap_or_default(),
            user.groups.join(", "),
            state(user).to_owned(),
        ]
    });
    table(
        ["User", "Name", "E-mail", "Groups", "State"],
        rows.collect(),
    )
}

/// A user for people.
fn to_text(user: &User) -> String {
    let mut shown = vec![
        ("user name", user.username.to_string()),
        ("subject", user.id.to_string()),
        ("state", state(user).to_owned()),
        ("groups", user.groups.join(", ")),
        ("created", instant(user.created_at)),
        ("updated", instant(user.updated_at)),
    ];
    let disabled = user.disabled_at.map(instant).unwrap_or_default();
    shown.push(("disabled", disabled));
    // Names of claims are what an operator looks for, so they stay OIDC's.
    let claims = json!(user.claims);
    let claims = claims.as_object().into_iter().flatten();
    let claims: Vec<_> = claims
        .map(|(name, value)| {
            let text = value.as_str().map(str::to_owned);
            (name.as_str(), text.unwrap_or_else(|| value.to_string()))
        })
        .collect();
    shown.extend(claims);
    properties(&shown)
}

const fn state(user: &User) -> &'static str {
    match (&user.disabled_at, &user.password) {
        (Some(_), _) => "disabled",
        (None, Some(_)) => "enabled",
        (None, None) => "no password",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::oidc::timestamp::Timestamp;
    use crate::oidc::user::{PasswordHash, StandardClaims, UserId};

    fn alice() -> User {
        User {
            id: UserId(Uuid::nil()),
            username: "alice".parse().unwrap(),
            password: Some(PasswordHash::from_phc("$argon2id$secret".to_owned())),
            claims: StandardClaims {
                name: Some("Alice \u{1b}[31mExample".to_owned()),
                email: Some("alice@example.com".to_owned()),
                email_verified: Some(true),
                ..StandardClaims::default()
            },
            groups: vec!["staff".to_owned(), "admins".to_owned()],
            created_at: Timestamp(0),
            updated_at: Timestamp(60),
            disabled_at: None,
        }
    }

    #[test]
    fn a_user_is_shown_without_the_hash_of_the_password() {
        let user = alice();
        let json = to_json(&user);
        insta::assert_snapshot!(to_text(&user), @"
        user name       alice
        subject         00000000-0000-0000-0000-000000000000
        state           enabled
        groups          staff, admins
        created         1970-01-01T00:00:00Z
        updated         1970-01-01T00:01:00Z
        name            Alice �[31mExample
        email           alice@example.com
        email_verified  true
        ");
        assert_eq!(json["claims"]["email_verified"], true);
        assert_eq!(json["disabled_at"], Value::Null);
        for shown in [json.to_string(), to_text(&user), list_to_text(&[user])] {
            assert!(
                !shown.contains("argon2id") && !shown.contains('\u{1b}'),
                "{shown}"
            );
        }
        assert!(list_to_text(&[]).contains("keyfob user add"));
    }
}
