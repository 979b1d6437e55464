//! Configuration files for the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use keyfob::config::Config;
use keyfob::config::mistake::Mistake;
use tempfile::TempDir;

/// 32 bytes that no other test knows.
pub(crate) const MASTER_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJCQgHBgUEAwI=";

/// A directory of its own with a `keyfob.toml` of mode 0600 in it.
pub(crate) struct Files {
    pub(crate) directory: TempDir,
}

impl Files {
    pub(crate) fn new(toml: &str) -> Self {
        let files = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        files.write("keyfob.toml", toml, 0o600);
        files
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub(crate) fn load(&self, environment: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
        load(&self.directory.path().join("keyfob.toml"), environment)
    }
}

pub(crate) fn load(path: &Path, environment: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(path), variables).map_err(|error| error.mistakes)
}

/// What loads without a mistake, with `more` after it.
pub(crate) fn good(more: &str) -> String {
    format!("issuer = \"https://login.example.com\"\nmaster_key = \"{MASTER_KEY}\"\n{more}\n")
}

pub(crate) fn mistakes(toml: &str) -> Vec<Mistake> {
    Files::new(toml).load(&[]).unwrap_err()
}
