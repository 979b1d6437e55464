//! What is logged, and in what form.

use tracing::level_filters::LevelFilter;

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

/// Which lines are logged: those of a level and above, and of some modules others.
#[derive(Clone, Debug)]
pub struct LogLevel {
    /// The level of modules that have none of their own.
    pub default: LevelFilter,
    /// The levels of modules, and of those inside them.
    pub modules: Vec<(String, LevelFilter)>,
}

impl LogLevel {
    /// Whether libraries log what passes through them.
    pub(super) fn is_chatty(&self) -> bool {
        self.default > LevelFilter::INFO
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self {
            default: LevelFilter::INFO,
            // It tells of every thread that it starts.
            modules: vec![("actix_server".to_owned(), LevelFilter::WARN)],
        }
    }
}

impl Value for LogLevel {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let mut levels = Self {
            default: LevelFilter::INFO,
            modules: Vec::new(),
        };
        for part in text(raw)?.split(',') {
            let (module, level) = match part.split_once('=') {
                Some((module, level)) => (Some(module.trim()), level),
                None => (None, part),
            };
            let level = level.trim().parse().map_err(|_| {
                Wrong::new(
                    "is not a log level",
                    "write \"error\", \"warn\", \"info\", \"debug\" or \"trace\", or levels by \
                     module: \"info,keyfob=debug\"",
                )
            })?;
            match module {
                Some(module) => levels.modules.push((module.to_owned(), level)),
                None => levels.default = level,
            }
        }
        Ok(levels)
    }

    fn to_toml(&self) -> String {
        let modules = self.modules.iter();
        let modules = modules.map(|(module, level)| format!(",{module}={level}"));
        quoted(&format!("{}{}", self.default, modules.collect::<String>()))
    }
}

const FORMATS: &[(&str, LogFormat)] = &[
    ("auto", LogFormat::Auto),
    ("human", LogFormat::Human),
    ("json", LogFormat::Json),
];
