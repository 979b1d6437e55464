//! `keyfob check-config`: the configuration in force, and what weakens it.

use std::fmt::Write as _;
use std::io::Write;

use serde_json::json;

use super::exit::CliError;
use super::output::Output;
use crate::config::Config;

/// Shows `config`: each value with where it comes from, and each relaxation.
///
/// # Errors
///
/// The output's.
pub fn run(config: &Config, output: &mut Output<impl Write>) -> Result<(), CliError> {
    let relaxations = config.relaxations();
    let json = json!({
        "settings": config.settings().collect::<Vec<_>>(),
        "relaxations": relaxations,
    });
    output.write(&json, || {
        let mut text = config.effective();
        text.push('\n');
        if relaxations.is_empty() {
            text.push_str("# Nothing in it weakens security.\n");
        } else {
            text.push_str("# What in it weakens security:\n");
        }
        for relaxation in &relaxations {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# - {relaxation}");
        }
        text
    })?;
    Ok(())
}
