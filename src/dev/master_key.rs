//! The master key of a development server: new for a database in memory, kept beside one that
//! stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::keys::KeyError;
use crate::keys::master_key::MasterKey;
use crate::provider::random::Random;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key file {0} cannot be used: {1}")]
    File(PathBuf, #[source] io::Error),
    /// The file holds something else.
    #[error("the master key file {0} does not hold a master key: {1}")]
    Content(PathBuf, #[source] KeyError),
}

/// The master key for the database at `url`.
pub fn for_database(url: &str, random: &Random) -> Result<MasterKey, MasterKeyError> {
    let path = match url.strip_prefix("sqlite:") {
        Some(":memory:") => return Ok(MasterKey::from_bytes(random.bytes())),
        Some(file) => {
            let file = file.split('?').next().unwrap_or_default();
            PathBuf::from(format!("{}.master-key", file.trim_start_matches("//")))
        }
        None => PathBuf::from("keyfob-dev.master-key"),
    };
    match fs::read_to_string(&path) {
        Ok(text) => MasterKey::parse(&text).map_err(|error| MasterKeyError::Content(path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = MasterKey::from_bytes(random.bytes());
            write_private(&path, &key.encode())
                .map_err(|error| MasterKeyError::File(path, error))?;
            Ok(key)
        }
        Err(error) => Err(MasterKeyError::File(path, error)),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;

    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}
