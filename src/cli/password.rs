//! Passwords: typed twice at a terminal, or the first line of standard input. Never an argument,
//! which every user of the machine can read.

use std::io::{self, BufRead, IsTerminal as _};

use zeroize::Zeroizing;

use super::exit::{CliError, Exit};

/// Asks the terminal for a new password, or reads it from standard input if that is no terminal or
/// `from_stdin`.
///
/// # Errors
///
/// The two that were typed differ, or there is none.
pub fn ask(from_stdin: bool, whose: &str) -> Result<Zeroizing<String>, CliError> {
    let stdin = io::stdin();
    if from_stdin || !stdin.is_terminal() {
        return first_line(stdin.lock());
    }
    let first = prompt(&format!("Password for {whose}: "))?;
    let second = prompt("Once more: ")?;
    if first != second {
        return Err(CliError::new(Exit::Invalid, "the two passwords differ"));
    }
    refuse_empty(first)
}

fn prompt(text: &str) -> Result<Zeroizing<String>, CliError> {
    Ok(Zeroizing::new(rpassword::prompt_password(text)?))
}

/// The first line of `input`, without its end.
fn first_line(input: impl BufRead) -> Result<Zeroizing<String>, CliError> {
    let mut line = Zeroizing::new(String::new());
    input.take(LONGEST).read_line(&mut line).map_err(|error| {
        let message = format!("the password on standard input cannot be read: {error}");
        CliError::new(Exit::Invalid, message)
    })?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    refuse_empty(line)
}

fn refuse_empty(password: Zeroizing<String>) -> Result<Zeroizing<String>, CliError> {
    if password.is_empty() {
        return Err(CliError::new(Exit::Invalid, "the password is empty"));
    }
    Ok(password)
}

/// Longer than any password may be, in bytes.
const LONGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_and_nothing_of_it_is_lost() {
        for (input, expected) in [
            ("secret\n", Some("secret")),
            ("secret\r\nmore\n", Some("secret")),
            (" spaces stay \n", Some(" spaces stay ")),
            ("no end", Some("no end")),
            ("\nsecret", None),
            ("", None),
        ] {
            let read = first_line(input.as_bytes());
            assert_eq!(
                read.ok().as_deref().map(String::as_str),
                expected,
                "{input:?}"
            );
        }
        assert_eq!(first_line(&b"\xff\n"[..]).unwrap_err().exit, Exit::Invalid);
    }
}
