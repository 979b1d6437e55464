//! `keyfob key`: the signing keys.

use clap::Subcommand;

use super::exit::after_help;

/// The commands of `keyfob key`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeyCommand {
    /// Lists the signing keys, with the state of each
    #[command(after_help = after_help(
        "  keyfob key list\n  \
         keyfob key list --json | jq -r '.keys[] | select(.state == \"active\") | .kid'",
    ))]
    List,
    /// Publishes a new key of each algorithm now; it signs as soon as nobody can have old keys cached
    #[command(after_help = after_help("  keyfob key rotate"))]
    Rotate,
}
