//! What is logged, and in what form.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Value, quoted, text};

/// What is logged, and in what form.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// Which lines there are.
    pub level: LogLevel,
}

/// Reads `[log]`.
pub(super) fn read(reader: &mut Reader) -> Log {
    Log {
        format: reader.or("log.format", LogFormat::default()),
        level: reader.or("log.level", LogLevel::default()),
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// For people if a terminal reads it, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Value for LogFormat {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let name = text(raw)?.trim();
        let found = FORMATS.iter().find(|(own, _)| *own == name);
        found.map(|(_, format)| *format).ok_or_else(|| {
            Wrong::new(
                "is not a form of log lines",
                "write \"auto\", \"human\" or \"json\"",
            )
        })
    }

    fn to_toml(&self) -> String {
        let found = FORMATS.iter().find(|(_, format)| format == self);
        quoted(found.map_or("auto", |(name, _)| *name))
    }
}

/// Which lines are logged: a level, or levels by module.
#[derive(Clone, Debug)]
pub struct LogLevel {
    text: String,
    targets: Targets,
}

impl LogLevel {
    /// The filter for the subscriber.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.targets.clone()
    }

    /// Whether libraries log what passes through them.
    pub(super) fn is_chatty(&self) -> bool {
        let of_all = self.targets.default_level();
        of_all.is_some_and(|level| level > LevelFilter::INFO)
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self {
            text: "info".to_owned(),
            targets: Targets::new().with_default(LevelFilter::INFO),
        }
    }
}

impl Value for LogLevel {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let text = text(raw)?.trim();
        let targets: Result<Targets, _> = text.parse();
        // A lone word that is no level would be read as the name of a module, at every level.
        let names_levels = text.split(',').all(|part| {
            let level = part.rsplit('=').next().unwrap_or_default().trim();
            level.parse::<LevelFilter>().is_ok()
        });
        match targets {
            Ok(targets) if names_levels => Ok(Self {
                text: text.to_owned(),
                targets,
            }),
            Ok(_) | Err(_) => Err(Wrong::new(
                "is not a log level",
                "write \"error\", \"warn\", \"info\", \"debug\" or \"trace\", or levels by module: \
                 \"info,keyfob=debug\"",
            )),
        }
    }

    fn to_toml(&self) -> String {
        quoted(&self.text)
    }
}

const FORMATS: &[(&str, LogFormat)] = &[
    ("auto", LogFormat::Auto),
    ("human", LogFormat::Human),
    ("json", LogFormat::Json),
];
