//! What ends with a session.

use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Value, quoted, text};
use crate::oidc::logout::{EndingGrants, LogoutPolicy};

/// Reads `[logout]`.
pub(super) fn read(reader: &mut Reader, default: LogoutPolicy) -> LogoutPolicy {
    LogoutPolicy {
        ends: reader.or("logout.ends", default.ends),
        session_management: reader.or("logout.session_management", default.session_management),
    }
}

impl Value for EndingGrants {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let name = text(raw)?.trim();
        let found = GRANTS.iter().find(|(own, _)| *own == name);
        found.map(|(_, grants)| *grants).ok_or_else(|| {
            Wrong::new(
                "does not say which grants end with a session",
                "write \"nothing\", \"online\" (those without offline_access) or \"all\"",
            )
        })
    }

    fn to_toml(&self) -> String {
        let found = GRANTS.iter().find(|(_, grants)| grants == self);
        quoted(found.map_or("online", |(name, _)| *name))
    }
}

const GRANTS: &[(&str, EndingGrants)] = &[
    ("nothing", EndingGrants::Nothing),
    ("online", EndingGrants::Online),
    ("all", EndingGrants::All),
];
