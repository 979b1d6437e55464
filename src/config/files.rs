//! The files that settings name.

use std::fs;
use std::path::Path;

use super::mistake::Wrong;

/// Reads a file that only its owner and group may read.
pub(super) fn read_private(path: &Path) -> Result<String, Wrong> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    refuse_open(path)?;
    Ok(text)
}

/// Refuses a file with a secret in it that users outside its group may read or change.
pub(super) fn refuse_open(path: &Path) -> Result<(), Wrong> {
    if !is_open_to_others(path) {
        return Ok(());
    }
    let path = path.display();
    Err(Wrong::new(
        format!("is a secret in {path}, which every user of this machine may read"),
        format!("chmod 600 {path}"),
    ))
}

/// What to say of a file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Wrong {
    Wrong::new(
        format!("names {}, which cannot be read: {error}", path.display()),
        "name a file that exists and that Keyfob's user may read",
    )
}

/// Whether users outside the file's group may read or change it.
#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

/// Whether users outside the file's group may read or change it: elsewhere than on Unix, the
/// directory's access list says so and not the file.
#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}
